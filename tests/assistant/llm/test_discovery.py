"""Language models that run on this machine are found by the ports of their servers: real ones, and
other programs that listen there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from helpers import PATIENCE
from model_servers import Handler, answering, free_port, port_of, serving, words, writes

from assistant.llm.client import load_model
from assistant.llm.discovery import MAX_LISTING_BYTES, SERVERS, Offer, Server, find_offers
from assistant.settings import Settings

OLLAMA, LM_STUDIO, *_ = SERVERS


def on(port: int, server: Server = OLLAMA) -> Server:
    return replace(server, port=port)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def listing(*models: object, kind: str = "model") -> bytes:
    data = [{"id": model, "object": kind} for model in models]
    return http(json.dumps({"object": "list", "data": data}).encode())


def test_models_of_the_servers_that_run_here_are_offered() -> None:
    others = ("text-embedding-nomic-embed-text-v1.5", "qwen/qwen3-8b")
    with (
        serving(writes("x"), "llama3.2", "hf.co/some/Qwen3:Q4_K_M") as (first, asked),
        serving(writes("x"), *others) as (second, _),
    ):
        ollama, studio = on(port_of(first)), on(port_of(second), LM_STUDIO)
        offers = find_offers([ollama, studio, on(free_port(), SERVERS[2])], PATIENCE)
    assert offers == [
        Offer(ollama, "llama3.2"),
        Offer(ollama, "hf.co/some/Qwen3:Q4_K_M"),
        Offer(studio, "qwen/qwen3-8b"),  # the other one cannot chat
    ]
    assert [offer.setting for offer in offers] == [
        "ollama:llama3.2",
        "ollama:hf.co/some/Qwen3:Q4_K_M",
        "lmstudio:qwen/qwen3-8b",
    ]
    assert asked.gets == ["/v1/models"]
    assert asked.asked == []  # nothing is said to a model
    named = Offer(SERVERS[2], "/home/ann/models/qwen3.gguf")  # by its file
    assert (named.name, named.setting) == ("qwen3.gguf", "llamacpp:/home/ann/models/qwen3.gguf")


OTHERS = {
    "a web page": http(b"<!doctype html><title>Hello</title>"),
    "a page that is not there": http(b"{}", "404 Not Found"),
    "a server that wants a key": http(b'{"error": "key"}', "401 Unauthorized"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "a number": http(b"1"),
    "JSON of another kind": http(b'{"data": [{"id": "invoice-1"}]}'),
    "a list of other things": listing("cus_1", kind="customer"),
    "no list": http(b'{"object": "list", "data": null}'),
    "a list of strings": http(b'{"object": "list", "data": ["model"]}'),
    "no text": http(b"\xff\xfe\x00"),
    "ever deeper": http(b"[" * 200_000),
    "more than a list": http(
        b" " * (MAX_LISTING_BYTES + 1) + listing("a").partition(b"\r\n\r\n")[2]
    ),
    "a name that steers a terminal": listing("a\x1b[2J"),
    "a name of two lines": listing("a\nb"),
    "a name that is a number": listing(1),
    "a long name": listing("a" * 1000),
    "compressed": http(b"\x1f\x8b\x08\x00", "200 OK", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_programs_offer_nothing(kind: str) -> None:
    with answering(OTHERS[kind]) as port:
        assert find_offers([on(port)], PATIENCE) == []


def test_nothing_else_is_asked_than_that_port() -> None:
    with serving(writes("x")) as (address, asked):
        there = http(b"", "302 Found", f"Location: {address}/models")
        with answering(there) as port:
            assert find_offers([on(port)], PATIENCE) == []
    assert asked.gets == []


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\n", http(b"{}")[:-1]])
def test_one_that_is_silent_is_not_waited_for(begins: bytes) -> None:
    over = threading.Event()
    with answering(begins, over=over) as port:
        assert find_offers([on(port)], 0.2) == []
        over.set()


def test_they_are_asked_all_at_once() -> None:
    """Each answers only when the other has been asked too."""
    both = threading.Barrier(2)

    class Waits(Handler):
        def reply(self, status: int, content: dict[str, Any]) -> None:
            both.wait(PATIENCE)
            super().reply(status, content)

    with ExitStack() as stack:
        servers = []
        for kind in (OLLAMA, LM_STUDIO):
            address, _ = stack.enter_context(serving(writes("x"), "m", handler=Waits))
            servers.append(on(port_of(address), kind))
        assert [offer.server for offer in find_offers(servers, PATIENCE)] == servers


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Handler]]:
    """A proxy that the environment names for everything."""
    with serving(writes("x"), "proxied") as (address, asked):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, address.removesuffix("/v1"))
            monkeypatch.setenv(name.upper(), address.removesuffix("/v1"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield asked


def test_no_proxy_is_asked(proxy: type[Handler]) -> None:
    with serving(writes(*words("It is here.")), "near") as (address, asked):
        [offer] = find_offers([on(port_of(address))], PATIENCE)
        model = load_model(Settings(llm=address, llm_timeout=PATIENCE))
        assert "".join(model.stream([("user", "Where?")])).strip() == "It is here."
        model.close()
    assert (offer.model, model.name) == ("near", "near")
    assert len(asked.asked) == 1
    assert proxy.gets == []
    assert proxy.asked == []
