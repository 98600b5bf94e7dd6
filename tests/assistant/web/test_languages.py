"""The words of the page: in every language the same, and in a browser's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    add_file,
    barriers,
    copied,
    settled,
)
from playwright.sync_api import Browser, Locator, Page, expect
from scans import save

import assistant.web
from assistant.answer import REFUSAL
from index.errors import Code

STATIC = Path(assistant.web.__file__).parent / "static"
FILES = {file.stem: file for file in sorted((STATIC / "words").glob("*.json"))}
ATTRIBUTES = ("aria-label", "title", "placeholder")
PLACE = re.compile(r"\{(\w+)\}")

#: What is the same in every language: the name, and that of a key.
NAMES = {"Footnote", "1", "Esc", "?"}

#: Errors that only those meet who run Footnote or write programs for it: they are told as they are.
DEVELOPERS = {
    *("settings", "question_set", "request", "forbidden", "nothing", "method", "form", "value"),
    "not_now",
}

#: The texts of a page and those of its attributes, each with the key that it is said by, or null.
#: A piece of a sentence that is an element of its own is written as its place.
WRITTEN = f"""() => {{
  const written = [];
  for (const element of document.querySelectorAll("[data-say]")) {{
    const copy = element.cloneNode(true);
    for (const child of copy.children) child.replaceWith(`{{${{child.dataset.place}}}}`);
    written.push([copy.textContent, element.dataset.say]);
  }}
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {{
    const text = node.data.trim();
    if (text && !node.parentElement.closest("[data-say], kbd, script, noscript")) {{
      written.push([text, null]);
    }}
  }}
  for (const name of {list(ATTRIBUTES)}) {{
    for (const element of document.querySelectorAll(`[${{name}}]`)) {{
      written.push([element.getAttribute(name), element.getAttribute(`data-say-${{name}}`)]);
    }}
  }}
  return written;
}}"""

#: What a person can see or hear of the page's own words: not those of documents.
TOLD = f"""() => {{
  const told = [document.title];
  const theirs = "#pages p, .paragraph, .introduction, .words, q, script, template, noscript";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {{
    if (!node.parentElement.closest(theirs)) told.push(node.data.trim());
  }}
  for (const name of {list(ATTRIBUTES)}) {{
    for (const element of document.querySelectorAll(`[${{name}}]`)) {{
      told.push(element.getAttribute(name));
    }}
  }}
  return told.filter(Boolean);
}}"""

#: What of the page sticks out.
STICKING_OUT = """() => [...document.querySelectorAll("#top *, #composer *, #library *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > innerWidth)
  .map((e) => e.outerHTML)"""


def words(language: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILES[language].read_text(encoding="utf-8"))
    return read


def forms(said: str | dict[str, str]) -> list[str]:
    """The sentences of a key: one, or one a number."""
    return [said] if isinstance(said, str) else list(said.values())


def patterns(language: str) -> dict[str, re.Pattern[str]]:
    """What a language says, by its sentences; those without words of their own are left out."""

    def pattern(sentence: str) -> re.Pattern[str]:
        literal, *rest = PLACE.split(sentence)
        places = [r"[\d.,]+" if name == "count" else ".+" for name in rest[::2]]
        after = map(re.escape, rest[1::2])
        return re.compile(
            re.escape(literal) + "".join(map("".join, zip(places, after, strict=True)))
        )

    said = [one for told in words(language).values() for one in forms(told)]
    return {one: pattern(one) for one in said if re.search(r"\w", PLACE.sub("", one))}


german = pytest.mark.parametrize("visit", [{"locale": "de-AT"}], indirect=True)


def ask(page: Page, question: str) -> Locator:
    box = page.get_by_label("Frage", exact=True)
    box.fill(question)
    box.press("Enter")
    return settled(page)


@pytest.mark.parametrize("language", FILES)
def test_every_language_says_the_same(language: str) -> None:
    english, other = words("en"), words(language)
    assert list(other) == list(english)
    for key, said in other.items():
        places = {place for one in forms(english[key]) for place in PLACE.findall(one)}
        for form, one in said.items() if isinstance(said, dict) else [("other", said)]:
            assert one.strip(), key
            own = set(PLACE.findall(one))
            assert own == places or (own == places - {"count"} and form != "other"), key
        assert isinstance(said, str) or "count" in places, key


def test_every_key_is_said_and_every_kind_of_error_has_words_of_the_page() -> None:
    scripts = "".join(file.read_text(encoding="utf-8") for file in STATIC.rglob("*.js"))
    pages = "".join(file.read_text(encoding="utf-8") for file in STATIC.glob("*.html"))
    put = set(re.findall(r'data-say[\w-]*="([^"]+)"', pages))
    assert put <= set(words("en"))
    said = put | {f"error.{code}" for code in get_args(Code)}
    assert [key for key in words("en") if key not in said and f'"{key}"' not in scripts] == []
    assert {code for code in get_args(Code) if f"error.{code}" not in words("en")} == DEVELOPERS


@pytest.mark.parametrize("name", ["page.html", "login.html"])
def test_a_page_says_in_english_what_the_english_file_says(browser: Browser, name: str) -> None:
    page = browser.new_page()
    page.set_content((STATIC / name).read_text(encoding="utf-8"))
    written = page.evaluate(WRITTEN)
    page.close()
    assert len(written) > 4
    for text, key in written:
        assert text in NAMES if key is None else text == words("en")[key], (text, key)


@german
def test_a_browser_in_german_gets_a_page_in_german(visit: Visit) -> None:
    page = visit.page
    expect(page.locator("html")).to_have_attribute("lang", "de")
    told: list[str] = page.evaluate(TOLD)
    answered = ask(page, QUESTION)
    assert answered.get_attribute("data-state") == "answered"
    text = copied(page, answered.get_by_role("button", name="Mit Fußnoten kopieren"), "kopiert")
    assert f"„{QUOTE}“" in text
    refused = ask(page, UNANSWERABLE)
    expect(refused.locator(".refusal")).to_have_text("Nicht in Ihren Dokumenten gefunden.")
    # The server knows a refusal in English.
    with page.expect_request("**/ask") as asked:
        ask(page, "Which countries joined?")
    history = [turn["content"] for turn in asked.value.post_data_json["history"]]
    assert REFUSAL in history
    page.locator("#open-history").click()
    expect(page.locator("#conversations li")).to_have_count(1)
    taken_along = page.locator("#conversations .menu").get_by_role("link", include_hidden=True)
    assert "lang=de" in str(taken_along.first.get_attribute("href"))
    told += page.evaluate(TOLD)
    assert barriers(page) == []
    english, deutsch = patterns("en"), patterns("de")
    odd = {
        text: one
        for text in told
        for one, pattern in english.items()
        if one not in deutsch and pattern.fullmatch(text)
    }
    assert odd == {}
    assert not [text for text in told if PLACE.search(text)]
    assert len({one for one, p in deutsch.items() if any(map(p.fullmatch, told))}) > 50
    page.keyboard.press("Escape")

    # Nothing sticks out.
    page.locator("#open-library").click()
    for width, height in ((1280, 800), (390, 844), (360, 700)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate(STICKING_OUT) == []


@german
def test_what_is_added_and_what_goes_wrong_is_told_in_german(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    listed = page.locator("#documents li")
    (tmp_path / "preise.csv").write_text("Ware,Preis in Euro\nWalnuss,12\nMandel,14\n")
    (tmp_path / "fahrt.md").write_text(
        "---\ntitle: Fahrt\ndate: 2025-02-27\n---\nThe ferry to Brenna leaves at nine.\n"
    )
    add_file(page, tmp_path / "preise.csv", tmp_path / "fahrt.md")
    expect(listed.filter(has_text="Fahrt")).to_contain_text("27.02.2025")
    expect(listed.filter(has_text="Fahrt")).to_contain_text(re.compile(r"\d Byte\b"))
    listed.filter(has_text="preise").get_by_role("button", name="lesen").click()
    expect(page.locator("#pages .number").last).to_have_attribute(
        "aria-label", re.compile(r"^Absatz \d, Zeile 3\b")
    )

    # What goes wrong.
    for file in tmp_path.iterdir():
        file.unlink()
    save(tmp_path / "scan.pdf", "Herring floats.")
    (tmp_path / "foto.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (tmp_path / "laut.txt").write_bytes(b"ID3" + bytes(range(256)) * 40)
    (tmp_path / "leer.txt").write_text(" \n")
    (tmp_path / "gross.txt").write_bytes(b"a " * 13_000_000)
    (tmp_path / "alt.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    add_file(page, *sorted(tmp_path.iterdir()))
    rows = page.locator("#uploads li")
    for name, told in {
        "scan.pdf": "Die Datei enthält keinen Text: Sie ist eine gescannte Seite.",
        "foto.png": "Die Datei ist beschädigt.",
        "laut.txt": "Diese Art von Datei kann nicht gelesen werden.",
        "leer.txt": "In dieser Datei wurde kein Text gefunden.",
        "gross.txt": "Die Datei ist größer als 25 MB",
        "alt.doc": "Die Datei hat ein altes Format.",
    }.items():
        expect(rows.filter(has_text=name)).to_contain_text(told)
    page.keyboard.press("Escape")
    page.locator("#open-notebooks").click()
    page.get_by_label("Neues Notizbuch").fill("Reise")
    page.get_by_role("button", name="Anlegen").click()
    expect(page.locator("#notebook")).to_have_text("Reise")
    # Another tab deletes it.
    page.evaluate("""async () => {
      const id = location.hash.split("/")[1];
      await fetch(`notebooks/${id}`, { method: "DELETE" });
    }""")
    add_file(page, tmp_path / "leer.txt")
    expect(rows.first).to_contain_text("Dieses Notizbuch ist nicht verfügbar.")
    visit.complaints = []  # the browser's own, of what was refused


def test_a_language_that_there_is_is_chosen_and_kept(visit: Visit) -> None:
    page = visit.page
    offered = page.get_by_label("Language").locator("option")
    assert {one.get_attribute("value") for one in offered.all()} == set(FILES)
    assert offered.all_inner_texts() == ["English", "Deutsch"]
    for language in FILES:
        categories = page.evaluate(
            "(of) => new Intl.PluralRules(of).resolvedOptions().pluralCategories", language
        )
        for key, said in words(language).items():
            assert isinstance(said, str) or set(said) == set(categories), key
    html = page.locator("html")
    expect(html).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Language").select_option("de")
    expect(html).to_have_attribute("lang", "de")
    page.reload()
    visit.ready()
    expect(page.get_by_role("button", name="Neues Gespräch")).to_be_visible()
    page.get_by_role("button", name="Einstellungen").click()
    expect(page.get_by_label("Sprache")).to_have_value("de")
    page.get_by_label("Sprache").select_option("en")
    expect(html).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="New conversation")).to_be_visible()


def test_one_logs_in_in_german_too(browser: Browser, url: str) -> None:
    page = browser.new_page(locale="de-CH")
    page.route(url, lambda route: route.fulfill(path=STATIC / "login.html"))
    page.goto(url)
    expect(page.get_by_role("button", name="Anmelden")).to_be_visible()
    expect(page.get_by_label("Passwort")).to_be_visible()
    expect(page).to_have_title("Footnote: Anmeldung")
    page.route("**/login", lambda route: route.abort())
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Passwort").fill("s3cret!")
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("alert")).to_have_text(words("de")["login.unreachable"])
    page.close()
