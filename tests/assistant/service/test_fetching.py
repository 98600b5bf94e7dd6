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
from sites import PUBLIC, Led, Names, Page, Site, fetcher_to, moved, served_site

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


def fetch(fetcher: Fetcher, address: str = "http://nuts.example/") -> Fetched:
    return asyncio.run(fetcher.fetch(address))


def refused(fetcher: Fetcher, address: str = "http://nuts.example/") -> str:
    with pytest.raises(UnreadableError) as told:
        fetch(fetcher, address)
    return str(told.value)


# --- what is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f::1", "64:ff9b::5db8:d70e"])
def test_a_page_is_fetched_from_the_address_that_was_checked(site: Site, address: str) -> None:
    names, led = Names({"nuts.example": [[address], ["127.0.0.1"]]}), Led(site)
    found = fetch(fetcher_to(site, names=names, led=led), " https://NUTS.example#top ")
    assert found.address == "https://nuts.example/"
    assert found.content.endswith(TEXT)
    assert site.hosts == names.asked == ["nuts.example"]  # which is looked up once
    assert led.to == [("https", address)]


@pytest.mark.parametrize(
    "found", [*([own] for own in NOT_PUBLIC), [PUBLIC, "10.0.0.1"], ["::1", PUBLIC]]
)
def test_what_is_not_of_the_internet_is_not_asked(site: Site, found: list[str]) -> None:
    assert [own for own in found if is_public(ip_address(own))] in ([], [PUBLIC])
    fetcher = fetcher_to(site, names=Names({"nuts.example": [found]}))
    told = refused(fetcher, "http://nuts.example/")
    assert "public internet" in told
    assert told == refused(fetcher, "http://nowhere.example/").replace("nowhere", "nuts")
    assert site.asked == []


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "0", "127.0.0.1"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "127。0。0。1", "localhost"),
    ],
)
def test_this_machine_is_not_asked_however_it_is_written(site: Site, host: str) -> None:
    assert "public internet" in refused(fetcher_to(site, names=resolve), f"http://{host}/")
    assert site.asked == []


def test_where_one_of_its_addresses_does_not_answer_the_next_is_asked(site: Site) -> None:
    first = "2606:2800:21f::1"
    names, led = Names({"nuts.example": [[first, PUBLIC]]}), Led(site, dead=first)
    assert fetch(fetcher_to(site, names=names, led=led))
    assert [address for _, address in led.to] == [first, PUBLIC]
    assert "nothing answers" in refused(fetcher_to(site, led=Led(site, dead=PUBLIC)))


@pytest.mark.parametrize(
    ("told", "addresses"),
    [
        (
            "is no address",
            [
                *("", "nuts.example", "//nuts.example/", "ftp://nuts.example/", "http:///etc"),
                *("file:///etc/passwd", "gopher://nuts.example/", "http://nuts\t.example/"),
                "http://nuts.example/\r\nHost: other",
                f"http://nuts.example/{'a' * 2000}",
            ],
        ),
        ("password", ["http://ann:secret@nuts.example/"]),
        ("port", [f"http://nuts.example:{port}/" for port in (22, 8080, 443)]),
    ],
)
def test_an_address_of_another_form_is_not_even_looked_up(
    site: Site, told: str, addresses: list[str]
) -> None:
    names = Names()
    for address in addresses:
        message = refused(fetcher_to(site, names=names), address)
        assert told in message and "secret" not in message, address
    assert names.asked == site.asked == []


def test_nothing_tells_who_asks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    cookie = {"set-cookie": "seen=1; Path=/"}
    site.pages |= {"/a": moved("/", **cookie), "/": Page([TEXT], headers=cookie)}
    assert fetch(fetcher_to(site), "http://nuts.example/a")
    assert len(site.asked) == 2
    for headers in site.asked:
        assert set(headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert headers["user-agent"] == "Footnote"


# --- redirects ----------------------------------------------------------------------------------


def test_redirects_are_followed_each_by_a_host_of_its_own(site: Site) -> None:
    names, led = Names(), Led(site)
    site.pages |= {"/a": moved("b"), "/b": moved("https://other.example/")}
    found = fetch(fetcher_to(site, names=names, led=led), "http://nuts.example/a")
    assert found.address == "https://other.example/"
    assert names.asked == site.hosts == ["nuts.example", "nuts.example", "other.example"]
    assert [scheme for scheme, _ in led.to] == ["http", "http", "https"]


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("http://inside.example/", "public internet"),
        ("//inside.example/", "public internet"),
        ("http://[::1]/", "public internet"),
        ("/", "public internet"),  # the name is looked up again
        ("http://other.example/", "could alter"),
        ("https://other.example:6379/", "port"),
        ("https://a:b@other.example/", "password"),
        ("file:///etc/passwd", "is no address"),
        ("http://0177.0.0.1/", "is no address"),
        ("/" + "a" * 2000, "is no address"),
    ],
)
def test_a_redirect_leads_to_nothing_that_is_not_asked(site: Site, where: str, told: str) -> None:
    site.pages["/a"] = moved(where)
    inside = [["10.0.0.1"]]
    names = {"nuts.example": [[PUBLIC], *inside], "inside.example": inside, "::1": [["::1"]]}
    scheme = "https" if told == "could alter" else "http"
    fetcher = fetcher_to(site, names=Names(names))
    assert told in refused(fetcher, f"{scheme}://nuts.example/a")
    assert len(site.asked) == 1


def test_redirects_come_to_an_end(site: Site) -> None:
    steps = range(MAX_REDIRECTS)
    site.pages |= {f"/{n}": moved(f"/{n + 1}") for n in steps}
    site.pages |= {f"/{MAX_REDIRECTS}": Page([TEXT]), "/round": moved("/round")}
    assert fetch(fetcher_to(site), "http://nuts.example/0")
    site.asked.clear()
    assert "more than 5 times" in refused(fetcher_to(site), "http://nuts.example/round")
    assert len(site.asked) == 1 + MAX_REDIRECTS


# --- https --------------------------------------------------------------------------------------


def test_the_certificate_is_to_be_the_hosts() -> None:
    authority = trustme.CA()
    server, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("nuts.example").configure_cert(server)
    authority.configure_trust(trusted)
    with served_site({"/": Page([TEXT]), "/a": moved("https://other.example/")}, server) as site:
        fetcher = fetcher_to(site, led=Led(site, trusted))
        stranger = fetcher_to(site, led=Led(site, ssl.create_default_context()))
        assert fetch(fetcher, "https://nuts.example/").content.endswith(TEXT)
        for asked, address in (
            (fetcher, "https://other.example/"),
            (fetcher, "https://nuts.example/a"),
            (fetcher, f"https://{PUBLIC}/"),
            (stranger, "https://nuts.example/"),
        ):
            assert "CERTIFICATE_VERIFY_FAILED" in refused(asked, address)
        assert set(site.hosts) == {"nuts.example"}


# --- how long and how much ----------------------------------------------------------------------


def test_what_takes_long_is_given_up(site: Site) -> None:
    over = threading.Event()

    def lookup(host: str) -> list[Any]:
        over.wait()
        return []

    class Drops:
        def __iter__(self) -> Iterator[bytes]:
            while not over.wait(0.01):
                yield b"a"

    class Silence(dict[str, Page]):
        def get(self, path: str, default: Any = None) -> Any:
            over.wait()
            return default

    async def try_all() -> None:
        for fetcher, path in (
            (fetcher_to(site, 1 << 30, 0.3), "drops"),
            (fetcher_to(site, 1 << 30, 0.3), "again"),
            (fetcher_to(silent, timeout=0.3), ""),
            (fetcher_to(site, timeout=0.3, names=lookup), ""),
        ):
            with pytest.raises(UnreadableError, match=r"within 0\.3 seconds"):
                await fetcher.fetch(f"http://nuts.example/{path}")
        over.set()  # before the loop waits for its threads

    site.pages |= {"/drops": Page(Drops()), "/again": moved("/drops")}
    with served_site() as silent:
        silent.pages = Silence()
        try:
            asyncio.run(try_all())
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
        "/short": Page([TEXT[:20]], headers={"content-length": str(len(TEXT))}),
    }
    tracemalloc.start()
    try:
        assert "larger than 1 MB" in refused(fetcher_to(site), "http://nuts.example/bomb")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert fetch(fetcher_to(site), "http://nuts.example/good").content.endswith(TEXT)
    for path, told in (
        ("half", "breaks off"),
        ("none", "cannot be fetched"),
        ("other", "'br'"),
        ("short", "cannot be fetched"),
    ):
        assert told in refused(fetcher_to(site), f"http://nuts.example/{path}")


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


def test_what_is_not_there_or_of_another_kind_is_told(site: Site) -> None:
    assert "404" in refused(fetcher_to(site), "http://nuts.example/no")
    for kind in ("image/png", "application/zip", "application/octet-stream", None):
        site.pages["/a"] = Page([TEXT], kind)
        told = refused(fetcher_to(site), "http://nuts.example/a")
        assert (kind or "is not told") in told and "PDF" in told


def test_a_name_is_of_one_address_and_is_always_the_same(site: Site) -> None:
    paths = [
        *("/a", "/a/", "/A", "/a?b", "/a?b=1", "/a-b", "/a/b", "/%2e%2e/%2F", "/ü"),
        *("/" + "x" * 900, "/x" * 400),
    ]
    site.pages |= dict.fromkeys([*paths, "/%C3%BC"], Page([TEXT])) | {"/moved": moved("/a")}
    name = lambda address: fetch(fetcher_to(site), address).name  # noqa: E731
    addresses = [
        *(f"http://nuts.example{path}" for path in (*paths, "/moved")),
        *("https://nuts.example/a", "http://xn--bcher-kva.example/a", "http://xn--a/a"),
    ]
    named = [name(address) for address in addresses]
    assert len(set(named)) == len(named)
    assert named == [name(address) for address in addresses]
    assert all(len(own) < 100 and Path(own).name == own for own in named)
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
    site.pages["/"] = Page([body.encode(encoding)], f"{kind}; charset={charset}")
    found = fetch(fetcher_to(site))
    file = tmp_path / found.name
    file.write_bytes(found.content)
    [paragraph] = read_document(file).paragraphs
    assert paragraph.text == text


def test_an_encoding_of_host_names_is_none_of_texts(site: Site) -> None:
    body = b"a-" * 200_000  # decoded as such a name it would take minutes
    for charset in ("punycode", "idna"):
        site.pages["/"] = Page([body], f"text/plain; charset={charset}")
        assert fetch(fetcher_to(site)).content == body
