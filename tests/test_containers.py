"""The image and what compose makes of it, as far as that shows without an engine: each part is held
against the program that it runs, and nginx runs with the file that it is given."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from chroma_servers import ChromaServer
from helpers import PATIENCE, ROOT, footnote, free_ports, ran
from replicas import configuration, machines

from assistant.settings import PREFIX, RESERVED, Settings

COMPOSE = shutil.which("docker-compose")
PROFILES = {
    "page": {"page"},
    "replicas": {"chroma", "postgres", "replica-1", "replica-2", "nginx"},
    "ollama": {"page-with-model", "ollama", "model"},
}
NGINX = ROOT / "containers" / "nginx.conf"
QUESTION = "When was the US Indo-Pacific strategy released?"


SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())[
    "services"
]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
#: What the Dockerfile says of the image that it ends with, by instruction.
IMAGE = {
    name: " ".join(value.split())
    for name, value in re.findall(
        r"^([A-Z]+) (.*)$", re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[-1], re.MULTILINE
    )
}


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_it(profile: str) -> None:
    if COMPOSE is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no docker-compose: apt-get install docker-compose")
        pytest.skip("There is no docker-compose")
    config = [COMPOSE, "--profile", profile, "config", "--format", "json"]
    done = ran(config, cwd=ROOT, env=os.environ | {"FOOTNOTE_AUTH": "ben:key"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["services"].keys() == PROFILES[profile]
    # Without a login nothing starts.
    assert "Set it to name:password" in ran(config, cwd=ROOT).stderr


def test_services_write_their_data_alone_and_are_reached_from_this_machine_alone() -> None:
    assert {
        profile: {name for name, service in SERVICES.items() if profile in service["profiles"]}
        for profile in PROFILES
    } == PROFILES
    assert IMAGE["USER"].partition(":")[0] not in ("0", "root")
    ours = {name for name, service in SERVICES.items() if "build" in service}
    assert ours >= {"page", "chroma", "replica-1", "replica-2", "page-with-model"}
    for name in {*ours, "nginx", "postgres"}:
        service = SERVICES[name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] not in ("0", "root", "0:0")
        assert "privileged" not in service
    for service in map(SERVICES.get, ours):
        assert service["user"] == IMAGE["USER"]
        assert service["tmpfs"] == "/tmp"
        volumes = [volume.partition(":")[2] for volume in service["volumes"]]
        assert volumes == [IMAGE["VOLUME"]]
    assert SERVICES["replica-1"]["volumes"][0] != SERVICES["replica-2"]["volumes"][0]
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"page", "nginx", "page-with-model"}
    for ports in published.values():
        assert [port.startswith("${PUBLISH:-127.0.0.1:7860}:") for port in ports] == [True]
    for name in ("chroma", "postgres", "replica-1"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_settings_are_those_there_are_and_no_secret_is_written_down() -> None:
    known = {*(PREFIX + name.upper() for name in Settings.model_fields), *RESERVED}
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name for name in given if name.startswith(PREFIX)} <= known
    assert {"FOOTNOTE_AUTH", "FOOTNOTE_CHROMA", "FOOTNOTE_DATABASE", "FOOTNOTE_LLM"} <= given
    for name, service in SERVICES.items():
        if "replica" in name or "page" in name:
            assert service["environment"]["FOOTNOTE_AUTH"].startswith("${FOOTNOTE_AUTH:?")
    assert PREFIX not in IMAGE["ENV"]


def test_the_image_is_built_of_all_that_the_wheel_is_and_serves_with_a_login_only(
    tmp_path: Path,
) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert {"LICENSE", "README.md", "assistant", "evals", "index", "pyproject.toml"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    (script,) = re.findall(r"^RUN sh (\S+)", DOCKERFILE, re.MULTILINE)
    assert script in let_in
    assert ran(["sh", "-n", ROOT / script]).returncode == 0
    (folder,) = re.findall(r"^COPY --from=build (\S+) \1$", DOCKERFILE, re.MULTILINE)
    assert f"PATH={folder}/bin:$PATH" in IMAGE["ENV"]

    assert json.loads(IMAGE["ENTRYPOINT"]) == ["footnote"]
    command = json.loads(IMAGE["CMD"])
    assert {"serve", "0.0.0.0", IMAGE["EXPOSE"]} <= set(command)
    refused = footnote(*command, "--index-dir", tmp_path, code=2)
    assert "FOOTNOTE_AUTH" in refused.stderr


def is_healthy(check: list[str], port: str, at: int) -> bool:
    """What a check in Python says of what listens here instead of at its port."""
    python, *arguments = check
    assert python == "python"
    assert f":{port}/" in arguments[-1]
    code = arguments[-1].replace(f":{port}/", f":{at}/")
    environment = os.environ | {"http_proxy": "http://127.0.0.1:9"}
    return ran([sys.executable, "-c", code], env=environment).returncode == 0


def test_health_is_told_by_what_the_image_asks(client: httpx.Client) -> None:
    check = json.loads(IMAGE["HEALTHCHECK"].partition("CMD ")[2])
    assert client.base_url.port
    assert is_healthy(check, IMAGE["EXPOSE"], client.base_url.port)
    assert not is_healthy(check, IMAGE["EXPOSE"], free_ports(1)[0])


def test_nginx_is_told_what_the_readme_tells_it() -> None:
    def but_for_servers(text: str) -> str:
        return re.sub(r"^ +server \S+:\d+ .*\n", "", text, flags=re.MULTILINE)

    written = NGINX.read_text()
    assert set(re.findall(r"server (\S+):7860", written)) == {"replica-1", "replica-2"}
    assert but_for_servers(written).endswith(f"\n\n{but_for_servers(configuration())}")


@pytest.mark.long
def test_replicas_answer_behind_nginx_as_compose_has_them(
    own_server: ChromaServer, postgres_address: str, tmp_path: Path
) -> None:
    folder, written = tmp_path / "machines", NGINX.read_text()
    check = SERVICES["chroma"]["healthcheck"]["test"][1:]
    with (
        machines(folder, own_server, postgres_address, count=2, written=written) as composed,
        httpx.Client(base_url=composed.url, timeout=PATIENCE) as client,
    ):
        assert is_healthy(check, "8000", composed.chroma.port)
        for _ in range(4):
            answer = client.post("/api/ask", json={"question": QUESTION}).json()
            assert answer["status"] == "answered"
        assert "<title>Footnote" in client.get("/").text
        assert client.get("/metrics").status_code == 404
        assert set(composed.served("/api/ask")) == set(composed.replicas)
