"""Documents that are fetched by their address: nothing but the public internet is asked, whatever
an address, a name or a redirect says, and nothing takes long or much.

The site of these tests is on this machine; what is refused would reach it.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import tracemalloc
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import trustme
from sites import PUBLIC, Everywhere, Led, Names, Page, Site, fetcher_to, moved, served_site

from assistant.service.fetching import MAX_REDIRECTS, Fetched, Fetcher, is_public, resolve
from index import read_document
from index.errors import UnreadableError

TEXT = b"<html><title>Nuts</title><body><h1>Nuts</h1><p>Walnuts float in brine.</p></body></html>"

NOT_PUBLIC = (
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("0.0.0.0", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.0.2.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1"),
    *("::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", f"::ffff:{PUBLIC}", "::127.0.0.1", "::ffff:0:7f00:1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::1"),
    *("2001:0:7f00:1::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1"),
)


@pytest.fixture
def site() -> Iterator[Site]:
    with served_site({"/": Page([TEXT])}) as found:
        yield found


def fetch(fetcher: Fetcher, address: str) -> Fetched:
    return asyncio.run(fetcher.fetch(address))


def refused(fetcher: Fetcher, address: str) -> str:
    with pytest.raises(UnreadableError) as told:
        fetch(fetcher, address)
    return str(told.value)


# --- what is asked ------------------------------------------------------------------------------


def test_a_page_is_fetched_from_the_address_that_was_checked(site: Site) -> None:
    names, led = Names({"nuts.example": [[PUBLIC]]}), Led(site)
    found = fetch(Fetcher(1000, resolve=names, transport=led), " http://NUTS.example#top ")
    assert found.address == "http://nuts.example/"
    assert found.content.endswith(TEXT)
    assert site.hosts == ["nuts.example"]
    assert led.to == [("http", PUBLIC)]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_of_the_internet_is_not_asked(site: Site, address: str) -> None:
    assert not is_public(ip_address(address))
    names = Names({"nuts.example": [[address]]})
    fetcher = Fetcher(1000, resolve=names, transport=Led(site))
    told = refused(fetcher, "http://nuts.example/")
    assert told == refused(fetcher, "http://nowhere.example/").replace("nowhere", "nuts")
    assert site.asked == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f::1", "64:ff9b::5db8:d70e"])
def test_what_is_of_the_internet_is_asked(site: Site, address: str) -> None:
    led = Led(site)
    names = Names({"nuts.example": [[address]]})
    assert fetch(Fetcher(1000, resolve=names, transport=led), "https://nuts.example/")
    assert led.to == [("https", address)]


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "0", "127.0.0.1"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "127。0。0。1", "localhost"),
    ],
)
def test_this_machine_is_not_asked_however_it_is_written(site: Site, host: str) -> None:
    fetcher = Fetcher(1000, resolve=resolve, transport=Led(site))
    assert "public internet" in refused(fetcher, f"http://{host}/")
    assert site.asked == []


def test_one_address_that_is_not_public_is_one_too_many(site: Site) -> None:
    for found in ([PUBLIC, "10.0.0.1"], ["::1", PUBLIC]):
        fetcher = Fetcher(1000, resolve=Names({"a.example": [found]}), transport=Led(site))
        assert "public internet" in refused(fetcher, "http://a.example/")
    assert site.asked == []


def test_a_name_is_looked_up_once(site: Site) -> None:
    names, led = Names({"a.example": [[PUBLIC], ["127.0.0.1"]]}), Led(site)
    assert fetch(Fetcher(1000, resolve=names, transport=led), "http://a.example/")
    assert (names.asked, led.to) == (["a.example"], [("http", PUBLIC)])


def test_where_one_of_its_addresses_does_not_answer_the_next_is_asked(site: Site) -> None:
    names, led = Names({"a.example": [["2606:2800:21f::1", PUBLIC]]}), Led(site)
    led = Led(site, dead="2606:2800:21f::1")
    assert fetch(Fetcher(1000, resolve=names, transport=led), "http://a.example/")
    assert [address for _, address in led.to] == ["2606:2800:21f::1", PUBLIC]
    led = Led(site, dead=PUBLIC)
    names = Names({"a.example": [[PUBLIC]]})
    told = refused(Fetcher(1000, resolve=names, transport=led), "http://a.example/")
    assert "nothing answers" in told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "is no address"),
        ("nuts.example", "is no address"),
        ("//nuts.example/", "is no address"),
        ("ftp://nuts.example/", "is no address"),
        ("file:///etc/passwd", "is no address"),
        ("gopher://nuts.example/", "is no address"),
        ("http:///etc", "is no address"),
        ("http://nuts\t.example/", "is no address"),
        ("http://nuts.example/\r\nHost: other", "is no address"),
        (f"http://nuts.example/{'a' * 2000}", "is no address"),
        ("http://ann:secret@nuts.example/", "password"),
        ("http://nuts.example:22/", "port"),
        ("http://nuts.example:8080/", "port"),
        ("http://nuts.example:443/", "port"),
    ],
)
def test_an_address_of_another_form_is_not_even_looked_up(
    site: Site, address: str, told: str
) -> None:
    names = Everywhere()
    message = refused(Fetcher(1000, resolve=names, transport=Led(site)), address)
    assert told in message and "secret" not in message
    assert names.asked == [] and site.asked == []


def test_nothing_tells_who_asks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    own = {"set-cookie": "seen=1; Path=/"}
    site.pages |= {"/a": moved("/", **own), "/": Page([TEXT], headers=own)}
    assert fetch(fetcher_to(site), "http://nuts.example/a")
    assert len(site.asked) == 2
    for headers in site.asked:
        assert set(headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert headers["user-agent"] == "Footnote"


# --- redirects ----------------------------------------------------------------------------------


def test_redirects_are_followed_each_by_a_host_of_its_own(site: Site) -> None:
    names, led = Everywhere(), Led(site)
    site.pages |= {"/a": moved("b"), "/b": moved("https://other.example/")}
    found = fetch(Fetcher(1000, resolve=names, transport=led), "http://nuts.example/a")
    assert found.address == "https://other.example/"
    assert names.asked == site.hosts == ["nuts.example", "nuts.example", "other.example"]
    assert [scheme for scheme, _ in led.to] == ["http", "http", "https"]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("http://inside.example/", "public internet"),
        ("//inside.example/", "public internet"),
        ("http://[::1]/", "public internet"),
        ("http://nuts.example:6379/", "port"),
        ("http://a:b@nuts.example/", "password"),
        ("file:///etc/passwd", "is no address"),
        ("http://0177.0.0.1/", "is no address"),
        ("/" + "a" * 2000, "is no address"),
    ],
)
def test_a_redirect_leads_to_nothing_that_is_not_asked(site: Site, where: str, told: str) -> None:
    site.pages["/a"] = moved(where)
    names = Names({"nuts.example": [[PUBLIC]], "inside.example": [["10.0.0.1"]], "::1": [["::1"]]})
    fetcher = Fetcher(1000, resolve=names, transport=Led(site))
    assert told in refused(fetcher, "http://nuts.example/a")
    assert len(site.asked) == 1


def test_a_name_that_a_redirect_leads_back_to_is_looked_up_anew(site: Site) -> None:
    site.pages["/a"] = moved("/")
    names = Names({"nuts.example": [[PUBLIC], ["10.0.0.1"]]})
    fetcher = Fetcher(1000, resolve=names, transport=Led(site))
    assert "public internet" in refused(fetcher, "http://nuts.example/a")
    assert len(site.asked) == 1


def test_a_redirect_does_not_leave_https(site: Site) -> None:
    site.pages["/a"] = moved("http://nuts.example/")
    assert "could alter" in refused(fetcher_to(site), "https://nuts.example/a")
    assert len(site.asked) == 1


def test_redirects_come_to_an_end(site: Site) -> None:
    steps = range(MAX_REDIRECTS)
    site.pages |= {f"/{n}": moved(f"/{n + 1}") for n in steps} | {f"/{MAX_REDIRECTS}": Page([TEXT])}
    assert fetch(fetcher_to(site), "http://nuts.example/0")
    site.pages["/round"] = moved("/round")
    site.asked.clear()
    assert "more than 5 times" in refused(fetcher_to(site), "http://nuts.example/round")
    assert len(site.asked) == 1 + MAX_REDIRECTS


# --- https --------------------------------------------------------------------------------------


def test_the_certificate_is_to_be_the_hosts(tmp_path: Path) -> None:
    authority = trustme.CA()
    own, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("nuts.example").configure_cert(own)
    authority.configure_trust(trusted)
    with served_site({"/": Page([TEXT]), "/a": moved("https://other.example/")}, own) as site:
        fetcher = Fetcher(1000, resolve=Everywhere(), transport=Led(site, trusted))
        assert fetch(fetcher, "https://nuts.example/").content.endswith(TEXT)
        for address in ("https://other.example/", "https://nuts.example/a", f"https://{PUBLIC}/"):
            assert "CERTIFICATE_VERIFY_FAILED" in refused(fetcher, address)
        assert set(site.hosts) == {"nuts.example"}
        stranger = Fetcher(
            1000, resolve=Everywhere(), transport=Led(site, ssl.create_default_context())
        )
        assert "CERTIFICATE_VERIFY_FAILED" in refused(stranger, "https://nuts.example/")


# --- how long and how much ----------------------------------------------------------------------


def test_what_comes_drop_by_drop_is_given_up(site: Site) -> None:
    over = threading.Event()

    class Drops:
        def __iter__(self) -> Iterator[bytes]:
            while not over.wait(0.01):
                yield b"a"

    site.pages |= {"/slow": Page(Drops()), "/again": moved("/slow")}
    try:
        for path in ("slow", "again"):
            fetcher = Fetcher(1 << 30, 0.3, Everywhere(), Led(site))
            told = refused(fetcher, f"http://nuts.example/{path}")
            assert "within 0.3 seconds" in told
    finally:
        over.set()


def test_what_does_not_begin_is_given_up(site: Site) -> None:
    over = threading.Event()

    def slowly(host: str) -> list[Any]:
        over.wait()
        return []

    async def try_both() -> None:
        for fetcher in (
            Fetcher(1000, 0.3, slowly, Led(site)),
            Fetcher(1000, 0.3, Everywhere(), Led(silent)),
        ):
            with pytest.raises(UnreadableError, match=r"within 0\.3 seconds"):
                await fetcher.fetch("http://nuts.example/")
        over.set()  # before the loop waits for its threads

    class Silence(dict[str, Page]):
        def get(self, path: str, default: Any = None) -> Any:
            over.wait()
            return default

    with served_site() as silent:
        silent.pages = Silence()
        try:
            asyncio.run(try_both())
        finally:
            over.set()


def test_what_is_too_large_is_not_read_to_its_end(site: Site) -> None:
    site.pages["/large"] = Page(repeat(b"a" * 1000))
    assert "larger than 1 MB" in refused(fetcher_to(site), "http://nuts.example/large")
    site.pages |= {"/most": Page([b"a" * 1000], "text/plain"), "/more": Page([b"a" * 1001])}
    fetcher = fetcher_to(site, max_bytes=1000)
    assert len(fetch(fetcher, "http://nuts.example/most").content) == 1000
    assert "larger than" in refused(fetcher, "http://nuts.example/more")


def test_what_swells_when_it_is_unpacked_is_not_unpacked_to_its_end(site: Site) -> None:
    packed = {"content-encoding": "gzip"}
    site.pages |= {
        "/bomb": Page([gzip.compress(bytes(100_000_000))], headers=packed),
        "/good": Page([gzip.compress(TEXT)], headers=packed),
        "/half": Page([gzip.compress(TEXT)[:-10]], headers=packed),
        "/none": Page([TEXT], headers=packed),
        "/other": Page([TEXT], headers={"content-encoding": "br"}),
    }
    tracemalloc.start()
    try:
        assert "larger than 1 MB" in refused(fetcher_to(site), "http://nuts.example/bomb")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert fetch(fetcher_to(site), "http://nuts.example/good").content.endswith(TEXT)
    for path, told in (("half", "breaks off"), ("none", "cannot be fetched"), ("other", "'br'")):
        assert told in refused(fetcher_to(site), f"http://nuts.example/{path}")


def test_what_breaks_off_is_not_taken(site: Site) -> None:
    site.pages["/half"] = Page([TEXT[:20]], headers={"content-length": str(len(TEXT))})
    assert "cannot be fetched" in refused(fetcher_to(site), "http://nuts.example/half")


# --- what is taken ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "suffix"),
    [
        ("/a.html", "text/html", ".html"),
        ("/a", "Text/HTML;charset=UTF-8", ".html"),
        ("/a", "application/xhtml+xml", ".html"),
        ("/a.php", "application/pdf", ".pdf"),
        ("/a", "text/plain", ".txt"),
        ("/README.md", "text/plain; charset=utf-8", ".md"),
        ("/a", "text/markdown", ".md"),
    ],
)
def test_pages_and_texts_are_taken(site: Site, path: str, kind: str, suffix: str) -> None:
    site.pages[path] = Page([b"Walnuts float."], kind)
    assert fetch(fetcher_to(site), f"http://nuts.example{path}").name.endswith(suffix)


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "application/octet-stream", None])
def test_what_is_another_kind_is_told(site: Site, kind: str | None) -> None:
    site.pages["/a"] = Page([TEXT], kind)
    told = refused(fetcher_to(site), "http://nuts.example/a")
    assert (kind or "is not told") in told and "PDF" in told


def test_what_is_not_there_is_told(site: Site) -> None:
    assert "404" in refused(fetcher_to(site), "http://nuts.example/no")


def test_a_name_is_of_one_address_and_is_always_the_same(site: Site) -> None:
    paths = (
        "/a",
        "/a/",
        "/A",
        "/a?b",
        "/a?b=1",
        "/a-b",
        "/a/b",
        "/%2e%2e/%2F",
        "/ü",
        "/" + "x" * 900,
    )
    for path in (*paths, "/x" * 400):
        site.pages[path] = Page([TEXT])
    site.pages |= {"/%C3%BC": Page([TEXT]), "/moved": moved("/a")}
    name = lambda address: fetch(fetcher_to(site), address).name  # noqa: E731
    addresses = [
        *(f"http://nuts.example{path}" for path in (*paths, "/x" * 400, "/moved")),
        *("https://nuts.example/a", "http://xn--bcher-kva.example/a", "http://xn--a/a"),
    ]
    named = [name(address) for address in addresses]
    assert len(set(named)) == len(named)
    assert named == [name(address) for address in addresses]
    assert all(len(one) < 100 and Path(one).name == one for one in named)
    assert name("HTTP://Nuts.example:80/a#b") == name("http://nuts.example/a")
    assert name("http://nuts.example/a").startswith("nuts.example-a-")


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("Грецкие орехи плавают в рассоле.", "koi8-r", "koi8-r"),
        ("Grecian “nuts” – naïve.", "cp1252", "ISO-8859-1"),
        ("Walnüsse schwimmen.", "utf-8", "utf-8"),
        ("Walnüsse schwimmen.", "utf-8", "no-such-thing"),
        ("Walnüsse schwimmen.", "cp1252", "utf-8"),
        ("Walnüsse schwimmen.", "utf-8-sig", "cp1252"),
        ("Walnüsse schwimmen.", "utf-8", "hex"),
    ],
)
def test_the_encoding_that_the_server_tells_counts(
    site: Site, tmp_path: Path, kind: str, text: str, encoding: str, charset: str
) -> None:
    body = f"<html><body><p>{text}</p></body></html>" if kind == "text/html" else text
    site.pages["/a"] = Page([body.encode(encoding)], f"{kind}; charset={charset}")
    found = fetch(fetcher_to(site), "http://nuts.example/a")
    file = tmp_path / found.name
    file.write_bytes(found.content)
    [paragraph] = read_document(file).paragraphs
    assert paragraph.text == text


def test_an_encoding_of_host_names_is_none_of_texts(site: Site) -> None:
    body = b"a-" * 200_000  # decoded as such a name it would take minutes
    for charset in ("punycode", "idna"):
        site.pages["/a"] = Page([body], f"text/plain; charset={charset}")
        assert fetch(fetcher_to(site), "http://nuts.example/a").content == body
