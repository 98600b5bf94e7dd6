"""A Chroma server: its address, and what is told of one that does not do what it is to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from chroma_servers import ChromaServer, Machine, Servers, until

from index import Document, Index
from index.errors import (
    IndexChangedError,
    IndexCorruptedError,
    IndexUnavailableError,
    SettingsError,
)
from index.store.chroma_server import Server, ServerAddress


def test_what_is_no_chroma_server_is_told() -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>Hello</h1>")

    with HTTPServer(("127.0.0.1", 0), Hello) as server, ThreadPoolExecutor(1) as beside:
        beside.submit(server.serve_forever)
        with pytest.raises(IndexUnavailableError, match="does not answer as a Chroma server"):
            Server(ServerAddress(f"http://127.0.0.1:{server.server_port}"), 0)
        server.shutdown()


def test_a_server_that_hangs_or_lost_its_data_is_told(
    machine: Machine,
    own_server: ChromaServer,
    index_address: str,
    small: Document,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("index.store.chroma_server.READ_TIMEOUT", 2.0)
    servers = Servers(own_server.address(), index_address)
    index = machine(servers)
    index.sync([small])
    own_server.hang()
    for ask in (lambda: index.search("island"), index.ready):
        with pytest.raises(IndexUnavailableError, match="not answered in time"):
            ask()
    assert index.document(small.id) == small, "its texts are elsewhere"
    own_server.on()
    until(lambda: answers(index))
    with closing(Server(servers.chroma, 0)) as server:
        for name in server.names():
            server.drop(name)
    with pytest.raises(IndexChangedError, match="index rebuild"):
        index.search("island")
    with pytest.raises(IndexCorruptedError, match="index rebuild"):
        machine(servers).search("island")
    machine(servers).rebuild()
    assert answers(index)


def answers(index: Index) -> bool:
    try:
        return len(index.search("island").hits) > 0
    except IndexUnavailableError:
        return False


@pytest.mark.parametrize(
    "url",
    [
        "chroma",
        "ftp://host",
        "http://",
        "http://me:secret@host:8000",
        "http://host:x",
        "http://h/x",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        ServerAddress(url)
    assert "secret" not in str(refused.value)


def test_certificates_are_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bad.pem"))
    with pytest.raises(IndexUnavailableError, match="SSL_CERT_FILE"):
        Server(ServerAddress("https://127.0.0.1:9"), 0)


def test_headers_are_sent_and_never_shown(chroma: ServerAddress) -> None:
    address = ServerAddress("http://127.0.0.1:9", {"Authorization": "Bearer hush"})
    assert "hush" not in repr(address)
    with pytest.raises(IndexUnavailableError, match="cannot be reached") as refused:
        Server(address, 0)
    assert "hush" not in str(refused.value)
    server = Server(replace(chroma, headers={"Authorization": "Bearer hush"}), 0)
    assert server._client.get_user_identity() is not None
    server.close()
