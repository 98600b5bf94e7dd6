"""The image and what compose makes of it, as far as that shows without an engine: each part is held
against the program that it runs, and nginx runs with the file that it is given."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from chroma_servers import ChromaServer
from helpers import FOOTNOTE, PATIENCE, ROOT, footnote, free_ports
from replicas import Machines, configuration, machines

from assistant.settings import PREFIX, RESERVED, Settings

COMPOSE = shutil.which("docker-compose")
PROFILES = {
    "page": {"page"},
    "replicas": {"chroma", "replica-1", "replica-2", "nginx"},
    "ollama": {"page-with-model", "ollama", "model"},
}
NGINX = ROOT / "containers" / "nginx.conf"
QUESTION = "When was the US Indo-Pacific strategy released?"


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text())["services"])


@pytest.fixture(scope="module")
def image() -> dict[str, list[str]]:
    """What the Dockerfile says of the image that it ends with, by instruction."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    last = re.split(r"^FROM .*$", text, flags=re.MULTILINE)[-1]
    said: dict[str, list[str]] = {}
    for line in last.splitlines():
        name, _, value = line.partition(" ")
        if name.isupper():
            said.setdefault(name, []).append(" ".join(value.split()))
    return said


def test_each_profile_has_its_services(services: dict[str, dict[str, Any]]) -> None:
    found = {name: set() for name in PROFILES}
    for name, service in services.items():
        for profile in service["profiles"]:
            found[profile].add(name)
    assert found == PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_takes_it(profile: str) -> None:
    if COMPOSE is None:
        if os.environ.get("CI") == "true":
            pytest.fail("There is no docker-compose: apt-get install docker-compose")
        pytest.skip("There is no docker-compose")

    def config(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMPOSE), "--profile", profile, "config", "--format", "json"],
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    done = config(FOOTNOTE_AUTH="ben:key")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["services"].keys() == PROFILES[profile]
    # Without a login nothing starts.
    assert "Set it to name:password" in config().stderr


def test_what_is_ours_may_write_its_data_and_nothing_else(
    services: dict[str, dict[str, Any]], image: dict[str, list[str]]
) -> None:
    (user,), (data,) = image["USER"], image["VOLUME"]
    assert user.partition(":")[0] not in ("0", "root")
    ours = {name: own for name, own in services.items() if "build" in own}
    assert ours.keys() >= {"page", "chroma", "replica-1", "replica-2", "page-with-model"}
    for name, service in {**ours, "nginx": services["nginx"]}.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] not in ("0", "root", "0:0")
        assert "privileged" not in service
    for service in ours.values():
        assert service["user"] == user
        assert service["tmpfs"] == "/tmp"
        assert [volume.partition(":")[2] for volume in service["volumes"]] == [data]
    assert len({services[f"replica-{n}"]["volumes"][0] for n in (1, 2)}) == 2


def test_settings_are_those_there_are_and_no_secret_is_written_down(
    services: dict[str, dict[str, Any]], image: dict[str, list[str]]
) -> None:
    known = {*(PREFIX + name.upper() for name in Settings.model_fields), *RESERVED}
    given = {
        name: value
        for service in services.values()
        for name, value in service.get("environment", {}).items()
    }
    assert {name for name in given if name.startswith(PREFIX)} <= known
    assert {"FOOTNOTE_AUTH", "FOOTNOTE_CHROMA", "FOOTNOTE_LLM"} <= given.keys()
    for name, service in services.items():
        if "replica" in name or "page" in name:
            assert service["environment"]["FOOTNOTE_AUTH"].startswith("${FOOTNOTE_AUTH:?")
    assert not [name for name in shlex.split(" ".join(image["ENV"])) if name.startswith(PREFIX)]


def test_only_this_machine_reaches_what_is_published(services: dict[str, dict[str, Any]]) -> None:
    published = {name: own["ports"] for name, own in services.items() if "ports" in own}
    assert published.keys() == {"page", "nginx", "page-with-model"}
    for ports in published.values():
        assert [port.startswith("${PUBLISH:-127.0.0.1:7860}:") for port in ports] == [True]
    assert services["chroma"]["networks"] == services["replica-1"]["networks"] == ["inside"]


def test_the_image_serves_with_a_login_only(image: dict[str, list[str]], tmp_path: Path) -> None:
    entry, command = json.loads(image["ENTRYPOINT"][0]), json.loads(image["CMD"][0])
    assert entry == ["footnote"]
    assert {"serve", "0.0.0.0", image["EXPOSE"][0]} <= set(command)
    refused = footnote(*command, "--index-dir", tmp_path, code=2)
    assert "FOOTNOTE_AUTH" in refused.stderr


def test_the_image_is_built_of_all_that_the_wheel_is(image: dict[str, list[str]]) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert {"LICENSE", "README.md", "assistant", "evals", "index", "pyproject.toml"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    dockerfile = (ROOT / "Dockerfile").read_text()
    (script,) = re.findall(r"^RUN sh (\S+)", dockerfile, re.MULTILINE)
    assert script in let_in
    subprocess.run(["sh", "-n", ROOT / script], check=True)
    (folder,) = re.findall(r"^COPY --from=build (\S+) \1$", dockerfile, re.MULTILINE)
    assert f"PATH={folder}/bin:$PATH" in image["ENV"][0]


def is_healthy(check: list[str], port: str, at: int) -> bool:
    """What a check in Python says of what listens here instead of at its port."""
    python, *arguments = check
    assert python == "python"
    assert f":{port}/" in arguments[-1]
    done = subprocess.run(
        [Path(FOOTNOTE).with_name(python), "-c", arguments[-1].replace(f":{port}/", f":{at}/")],
        env=os.environ | {"http_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode == 0


def test_health_is_told_by_what_the_image_asks(
    image: dict[str, list[str]], client: httpx.Client
) -> None:
    check = json.loads(image["HEALTHCHECK"][0].partition("CMD ")[2])
    (port,) = image["EXPOSE"]
    assert client.base_url.port
    assert is_healthy(check, port, client.base_url.port)
    assert not is_healthy(check, port, free_ports(1)[0])


def test_nginx_is_told_what_the_readme_tells_it() -> None:
    def but_for_servers(text: str) -> str:
        return re.sub(r"^ +server \S+:\d+ .*\n", "", text, flags=re.MULTILINE)

    written = NGINX.read_text()
    assert set(re.findall(r"server (\S+):7860", written)) == {"replica-1", "replica-2"}
    assert but_for_servers(written).endswith(f"\n\n{but_for_servers(configuration())}")


@pytest.fixture
def composed(own_server: ChromaServer, postgres_address: str, tmp_path: Path) -> Iterator[Machines]:
    """Two replicas on a Chroma server behind nginx, as compose has them."""
    folder, written = tmp_path / "machines", NGINX.read_text()
    with machines(folder, own_server, postgres_address, count=2, written=written) as running:
        yield running


@pytest.mark.long
def test_replicas_answer_behind_nginx_as_compose_has_them(
    composed: Machines, services: dict[str, dict[str, Any]]
) -> None:
    check = services["chroma"]["healthcheck"]["test"]
    assert is_healthy(check[1:], "8000", composed.chroma.port)
    with httpx.Client(base_url=composed.url, timeout=PATIENCE) as client:
        for _ in range(4):
            answer = client.post("/api/ask", json={"question": QUESTION}).json()
            assert answer["status"] == "answered"
        assert "<title>Footnote" in client.get("/").text
        assert client.get("/metrics").status_code == 404
    assert set(composed.served("/api/ask")) == set(composed.replicas)
