"""The API's description holds of what it answers: each answer here is checked against it, and a
fuzzer (schemathesis) looks for what it does not tell of."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import QUESTION, UNANSWERABLE
from helpers import PATIENCE
from jsonschema import Draft202012Validator
from services import client_of, new_key

FLAGS = ("--rate", "1000000/second")


@pytest.fixture(scope="module")
def described(api_url: str) -> dict[str, Any]:
    with client_of(api_url) as client:
        found: dict[str, Any] = client.get("api/openapi.json").json()
    return found


def check(described: dict[str, Any], response: httpx.Response, path: str) -> None:
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


def test_answers_are_as_described(api_url: str, described: dict[str, Any]) -> None:
    question = {"question": QUESTION}
    messages = [{"role": "user", "content": QUESTION}]
    completions = [
        {"model": model, "messages": messages, "stream": stream}
        for model, stream in (("footnote", False), ("footnote", True), ("other", False))
    ]
    events = {"accept": "text/event-stream"}
    with client_of(api_url) as client:
        file = {"file": ("a.txt", b"Walnuts float in brine.")}
        made = client.post("api/documents", files=file)
        identity, at = made.json()["id"], {"address": "https://example.org/page"}
        document, place = f"api/documents/{identity}", "/api/documents/{identity}"
        refused = client.post("api/ask", json={"question": UNANSWERABLE})
        citation = refused.json()["closest"] or refused.json()["citations"]
        assert citation
        for response, path in (
            (made, "/api/documents"),
            (refused, "/api/ask"),
            (client.post("api/documents", files=file), "/api/documents"),
            (client.post("api/documents/by-address", json=at), "/api/documents/by-address"),
            (client.get("api/documents"), "/api/documents"),
            (client.get(document), place),
            (client.put(document, files=file), place),
            (client.put(document, files=file, headers=events), place),
            (client.get(f"{document}/content"), f"{place}/content"),
            (client.get(f"{document}/paragraphs/1"), f"{place}/paragraphs/{{number}}"),
            (client.get(f"{document}/paragraphs/9"), f"{place}/paragraphs/{{number}}"),
            (client.get(f"{document}/paragraphs/x"), f"{place}/paragraphs/{{number}}"),
            (client.delete(document), place),
            (client.delete(document), place),
            (client.post("api/ask", json=question), "/api/ask"),
            (client.post("api/ask", json=question, headers=events), "/api/ask"),
            (client.post("api/ask", json={}), "/api/ask"),
            (client.post("api/ask", content=b"{"), "/api/ask"),
            (client.post("api/overview", json={}), "/api/overview"),
            (client.post("api/search", json={"query": QUESTION}), "/api/search"),
            (client.post("api/verify", json={"text": QUESTION}), "/api/verify"),
            (client.post("api/feedback", json={}), "/api/feedback"),
            (client.get("v1/models"), "/v1/models"),
            (client.get("v1/models/footnote"), "/v1/models/{name}"),
            (client.get("v1/models/other"), "/v1/models/{name}"),
            (client.get("health/live"), "/health/live"),
            (client.get("health/ready"), "/health/ready"),
            (client.get("metrics"), "/metrics"),
            *(
                (client.post("v1/chat/completions", json=completion), "/v1/chat/completions")
                for completion in completions
            ),
        ):
            check(described, response, path)


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
