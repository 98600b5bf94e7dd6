"""The API's description holds of what it answers: each answer here is checked against it, and a
fuzzer (schemathesis) looks for what it does not tell of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_request import made
from helpers import PATIENCE
from jsonschema import Draft202012Validator
from services import client_of, new_key

SETTINGS = {"FOOTNOTE_RATE": "1000000/second"}


@pytest.fixture(scope="module")
def described(api_url: str) -> dict[str, Any]:
    with client_of(api_url) as client:
        found: dict[str, Any] = client.get("api/openapi.json").json()
    return found


def check(described: dict[str, Any], response: Any, path: str) -> None:
    """Raise unless a response is as the description tells."""
    operation = described["paths"][path][response.request.method.lower()]
    told = operation["responses"][str(response.status_code)]
    kind = response.headers.get("content-type", "").partition(";")[0]
    if not response.content:
        assert "content" not in told
        return
    schema = told["content"][kind].get("schema", {})
    if kind.endswith("json"):
        whole = {**schema, "components": described["components"]}
        Draft202012Validator(whole).validate(response.json())


def test_it_is_openapi_and_says_what_everything_is(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), (method, path)
            assert operation["tags"]
            assert {"401", "403", "429", "500", "503"} <= set(operation["responses"])
    assert set(described["components"]["securitySchemes"]) == {"key", "login"}
    Draft202012Validator.check_schema(described["components"]["schemas"]["AnswerValue"])


def test_answers_are_as_described(tmp_path: Path) -> None:
    """Those to a request at each address by whoever may send it, or may not; reading comes first,
    and deleting last."""
    order = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE")
    with made(tmp_path) as world:
        described = world.ann.get("/api/openapi.json").json()
        sents = [one for one in world.requests(world.inside) if one.path in described["paths"]]
        sents.sort(key=lambda one: order.index(one.method))
        statuses = Counter[int]()
        for sent in sents:
            for caller in ("nobody", "key ask", "cy", "ann"):
                response = sent.by(world.callers[caller])
                statuses[response.status_code] += 1
                check(described, response, sent.path)
            if sent.method == "POST":
                events = {"headers": {"accept": "text/event-stream"}}
                check(described, replace(sent, how=sent.how | events).by(world.ann), sent.path)
                without = replace(sent, how={"content": b"{"})
                check(described, without.by(world.ann), sent.path)
    assert {200, 201, 204, 401, 403, 404} <= statuses.keys()


@pytest.mark.long
def test_a_fuzzer_finds_nothing_that_the_description_does_not_tell(
    api_url: str, api_folder: Path, described: dict[str, Any]
) -> None:
    key = new_key(api_folder, "fuzzer", "ask", "write", "metrics")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{api_url}api/openapi.json"),
            *("--header", f"Authorization: Bearer {key}"),
            # A schema cannot tell that a file has to hold text, or a model to be one there is.
            # Two addresses read like that of a document or conversation of such an id, whose
            # methods are advertised there too.
            *("--checks", "all", "--exclude-checks"),
            "positive_data_acceptance,unsupported_method,allow_header_conformance",
            *("--max-response-time", str(PATIENCE)),  # the machine may be busy
            *("--max-examples", "40", "--seed", "1", "--no-color", "--continue-on-failure"),
            *("--request-timeout", str(PATIENCE)),
        ],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
        cwd=api_folder,
        env=os.environ,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested is not None
    assert int(tested[1]) == sum(len(methods) for methods in described["paths"].values())
    assert '"status": 500' not in (api_folder / "log.txt").read_text()
