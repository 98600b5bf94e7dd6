"""The format of log lines, and what they leave out."""

from __future__ import annotations

import json
import logging

import pytest

from assistant.serving.logs import REQUESTS, Format, about, set_up


@pytest.mark.parametrize("form", ["text", "json", None])
def test_an_error_is_logged_with_its_kind_and_place_but_without_its_message(
    form: Format | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.getLogger(REQUESTS), "level", logging.NOTSET)
    set_up(form)
    with about("ab12"):
        logging.getLogger(REQUESTS).info("request", extra={"fields": {"caller": "Élodie"}})
        try:
            try:
                raise KeyError("xylophone")
            except KeyError as error:
                raise ValueError("xylophone") from error
        except ValueError:
            logging.getLogger("assistant").exception("it failed")
    logging.getLogger("library").info("xylophone")
    logging.getLogger("library").warning("%s is old", "this")
    lines = capsys.readouterr().err.splitlines()
    assert "xylophone" not in "".join(lines)
    *requests, failed, warned = lines
    assert len(requests) == (form is not None)
    if form == "json":
        request, error_line, warning = map(json.loads, lines)
        assert (request["caller"], request["request"]) == ("Élodie", "ab12")
        assert (error_line["level"], error_line["event"]) == ("error", "it failed")
        assert error_line["error"] == "ValueError from KeyError"
        assert error_line["at"][-1].startswith("test_logs.py:")
        assert (warning["event"], "request" in warning) == ("this is old", False)
    else:
        assert all("caller='Élodie' request='ab12'" in line for line in requests)
        assert "error it failed request='ab12' error='ValueError from KeyError' at=[" in failed
        assert warned.endswith("warning this is old")
