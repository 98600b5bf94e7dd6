"""Whatever is given to it, Footnote says what is wrong, or answers; and it loses nothing."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import (
    FOOTNOTE,
    PATIENCE,
    footnote,
    importing_helpers,
    run_footnote,
    seed_sentences,
)

from assistant import Assistant, FootnoteError
from assistant.documents import read_all
from index import Index
from index.errors import (
    DocumentError,
    EmptyDocumentError,
    MissingPathError,
    NotTextError,
    UnreadableError,
)

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
ELF = Path("/proc/self/exe")


# --- Files that cannot be read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (b"", EmptyDocumentError, "holds no text"),
        (b" \n\t \r\n\xc2\xa0\n", EmptyDocumentError, "holds no text"),
        (b"\xef\xbb\xbf", EmptyDocumentError, "holds no text"),
        (PNG, NotTextError, "is not a text file"),
        (bytes(5000), NotTextError, "is not a text file"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0", UnreadableError, "is damaged"),
    ],
)
def test_a_file_without_text_is_told(
    tmp_path: Path, content: bytes, error: type[DocumentError], told: str
) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(content)
    with pytest.raises(error, match=told) as raised:
        Assistant.open(file, index_dir=tmp_path / "index")
    assert "file.txt" in str(raised.value)
    assert not (tmp_path / "index").exists()  # nothing was begun


def test_a_damaged_pdf_is_told_and_nothing_of_it_is_indexed(tmp_path: Path) -> None:
    file = tmp_path / "file.pdf"
    file.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)))
    with pytest.raises(UnreadableError, match=r"'file\.pdf' cannot be read as a PDF"):
        Assistant.open(file, index_dir=tmp_path / "index")
    index = Index(tmp_path / "index")
    assert index.documents() == []
    index.close()


def test_a_path_that_is_no_file_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    file = tmp_path / "file.txt"
    file.write_text("x")
    for missing in ("nowhere", "file.txt/inside", "loop", "a" * 300, "nul\0"):
        with pytest.raises(MissingPathError, match="There is no file or folder"):
            Assistant.open(tmp_path / missing)
    with pytest.raises(UnreadableError, match="is a device"):
        Assistant.open("/dev/zero")
    with pytest.raises(NotTextError):
        Assistant.open(ELF)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(EmptyDocumentError, match="holds no file to read"):
        Assistant.open(folder)


def test_the_command_tells_it_in_a_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    for path in (tmp_path / "nowhere.txt", empty, ELF, tmp_path / ("a" * 300)):
        done = footnote("ask", "What is it?", "--source", path, code=2)
        assert done.stdout == ""
        assert done.stderr.startswith("footnote: ")
        assert done.stderr.count("\n") == 1
        assert repr(str(path)) in done.stderr


def test_what_is_bad_in_a_folder_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "secret.txt").write_text("A hidden text.")
    (folder / "ferry.txt").write_text("The ferry to Brenna leaves at nine.")
    (folder / "word.md").write_text("Rye")
    (folder / "picture.txt").write_bytes(PNG)
    (folder / "empty.txt").touch()
    (folder / "nowhere.txt").symlink_to(tmp_path / "nowhere")
    (folder / "circle").symlink_to(folder)
    skipped: list[FootnoteError] = []
    with Assistant.open(folder, index_dir=tmp_path / "index", on_skip=skipped.append) as assistant:
        assert [Path(d.source).name for d in assistant.documents] == ["ferry.txt", "word.md"]
        assert assistant.search("ferry")[0].paragraph.text.startswith("The ferry")
        assert assistant.search("rye", 1)[0].paragraph.text == "Rye"
    assert [type(error) for error in skipped] == [
        EmptyDocumentError,
        MissingPathError,
        NotTextError,
    ]
    with pytest.raises(EmptyDocumentError):  # nobody to tell it to
        Assistant.open(folder, index_dir=tmp_path / "index")
    with pytest.raises(NotTextError):  # it was asked for by name
        read_all([folder, folder / "picture.txt"], skipped.append)
    for name in ("ferry.txt", "word.md"):
        (folder / name).unlink()
    with pytest.raises(DocumentError):
        read_all([folder], skipped.append)


@pytest.fixture
def unprivileged() -> list[str]:
    """What to put before a command so that permissions hold for it."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may read everything, and there is no `setpriv` (util-linux) to stop it")
    caps = "-dac_override,-dac_read_search"
    return [setpriv, f"--bounding-set={caps}", f"--inh-caps={caps}"]


# Commands in, as JSON; out come the exit code, output and errors of each.
UNPRIVILEGED = """
import json, sys
from helpers import footnote
done = [footnote(*arguments, code=None) for arguments in json.load(sys.stdin)]
print(json.dumps([[each.returncode, each.stdout, each.stderr] for each in done]))
"""


def test_permissions_are_told(tmp_path: Path, unprivileged: list[str]) -> None:
    folder = tmp_path / "folder"
    locked = folder / "locked"
    listed = folder / "listed"
    for made in (folder, locked, listed):
        made.mkdir()
    (folder / "ferry.txt").write_text("The ferry to Brenna leaves at nine.")
    for secret in (folder / "secret.txt", locked / "a.txt", listed / "a.txt"):
        secret.write_text("A secret.")
    (folder / "secret.txt").chmod(0)
    locked.chmod(0)
    listed.chmod(0o400)  # may be listed, but what is in it may not be looked at

    unreadable = (folder / "secret.txt", locked, locked / "a.txt")
    commands = [["search", "x", "--source", str(path)] for path in unreadable]
    commands.append(["index", "add", str(folder)])
    own = ["--index-dir", str(tmp_path / "i")]
    try:
        done = subprocess.run(
            [*unprivileged, sys.executable, "-c", UNPRIVILEGED],
            input=json.dumps([command + own for command in commands]),
            env=os.environ | importing_helpers(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        *refused, added = json.loads(done.stdout)
        for code, _, errors in refused:
            assert code == 2
            assert errors.startswith("footnote: ")
            assert "ermission denied" in errors
        code, output, errors = added
        assert code == 0, errors
        assert output.startswith("1 documents: 1 paragraphs added")
        assert errors.count("Skipped: ") == 3
    finally:
        for made in (locked, listed):
            made.chmod(0o700)


def test_a_name_that_is_not_utf8_and_a_pipe_are_read(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    other = os.fsencode(tmp_path) + b"/caf\xe8.txt"
    for path in (name, other):
        Path(os.fsdecode(path)).write_text(f"The ferry {len(path)} leaves at nine.")
    [first] = read_all([os.fsdecode(name)], None)
    [second] = read_all([os.fsdecode(other)], None)
    assert first.source.endswith(r"caf\xe9.txt")
    assert first.id != second.id
    with Assistant.open(os.fsdecode(name), index_dir=tmp_path / "index") as assistant:
        assert str(assistant.search("ferry")[0].paragraph.text).startswith("The ferry")
    read, write = os.pipe()
    os.write(write, b"The mill grinds rye.")
    os.close(write)
    [piped] = read_all([f"/dev/fd/{read}"], None)
    os.close(read)
    assert piped.text == "The mill grinds rye."


# --- Questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "told"),
    [("", "is empty"), (" \n", "is empty"), ("why " * 25_000, "100,000 characters")],
)
def test_a_question_that_cannot_be_asked_is_told_at_once(
    tmp_path: Path, question: str, told: str
) -> None:
    for command in ("ask", "search"):
        done = footnote(command, question, "--index-dir", tmp_path / "index", code=2)
        assert told in done.stderr
        assert done.stdout == ""
    assert not (tmp_path / "index").exists()  # before anything was indexed


# --- Strange documents --------------------------------------------------------------------------


def test_paragraphs_that_are_all_the_same_are_one(tmp_path: Path) -> None:
    file = tmp_path / "same.txt"
    file.write_text("All work and no play makes Jack a dull boy.\n" * 2000)
    with Assistant.open(file, index_dir=tmp_path / "index") as assistant:
        [document] = assistant.documents
        assert len(document.paragraphs) == 2000
        hits = assistant.search("Who is a dull boy?")
        assert len(hits) == 1
        answer = assistant.ask("Who is a dull boy?")
        cited = answer.citations or answer.closest
        assert [citation.paragraph.number for citation in cited] == [1]


def test_a_long_word_and_odd_characters_are_read(tmp_path: Path) -> None:
    file = tmp_path / "odd.txt"
    text = (
        f"{'x' * 10_000}\n\nFamily \U0001f468\u200d\U0001f469 \u202eright to left\u202c.\n\n[1] [2]"
    )
    file.write_text(text, encoding="utf-8")
    with Assistant.open(file, index_dir=tmp_path / "index") as assistant:
        [document] = assistant.documents
        document.check()
        assert document.text == text
        for question in ("Who is in the family?", "x" * 3000):
            answer = assistant.ask(question)
            for citation in (*answer.citations, *answer.closest):
                citation.check(document)


# --- The index ----------------------------------------------------------------------------------


def test_a_corrupted_index_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    file = tmp_path / "ferry.txt"
    file.write_text("The ferry to Brenna leaves at nine.")
    Assistant.open(file, index_dir=folder).close()
    [database] = folder.rglob("chroma.sqlite3")
    database.write_bytes(random.Random(0).randbytes(database.stat().st_size))
    done = run_footnote("ask", "When?", "--source", file, "--index-dir", folder, code=2)
    assert str(folder) in done.stderr
    assert "documents are not touched" in done.stderr
    assert done.stderr.count("\n") == 1
    shutil.rmtree(folder)  # as the message says
    with Assistant.open(file, index_dir=folder) as assistant:
        assert assistant.search("ferry")


def test_an_index_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    for folder in (taken, taken / "inside", Path("/proc/footnote")):
        done = footnote("search", "x", "--index-dir", folder, code=2)
        assert str(folder) in done.stderr
        assert done.stderr.count("\n") == 1


# --- A large file -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def single_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 MB without a line break."""
    file = tmp_path_factory.mktemp("big") / "big.txt"
    sentences = seed_sentences()
    generator = random.Random(0)
    with file.open("w", encoding="utf-8") as stream:
        while stream.tell() < 5_100_000:
            stream.write(f"{generator.choice(sentences)} This was case {stream.tell()}. ")
    return file


@pytest.fixture
def process_of() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that do not outlive the test."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def read_until(terminal: int, pattern: str) -> str:
    """What a process wrote to its terminal, up to and including the pattern."""
    seen = ""
    while not re.search(pattern, seen):
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other end was closed
            more = b""
        assert more, f"ended without {pattern!r}: {seen}"
        seen += more.decode(errors="replace")
    return seen


@pytest.mark.long
def test_a_large_file_is_announced_interrupted_and_gone_on_with(
    single_line: Path, tmp_path: Path, process_of: list[subprocess.Popen[bytes]]
) -> None:
    """Once with its notes in a pipe, once on a terminal; each time interrupted by SIGINT."""
    command = [FOOTNOTE, "ask", "What is it?", "--source", str(single_line)]
    command += ["--index-dir", str(tmp_path / "index")]

    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process_of.append(process)
    assert process.stderr is not None
    assert process.stderr.readline().decode() == "Reading big.txt, 5 MB …\n"
    begun = process.stderr.readline().decode()
    told = process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)
    output, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert output == b""
    total = number_in(r"Indexing ([\d,]+) paragraphs …", begun)
    left = number_in(r"^([\d,]+) paragraphs to index, about \d+ (seconds|minutes)\.", told)
    assert left < total
    ending = rest.decode().splitlines()
    assert ending[-1] == "Stopped."
    done = number_in(r"^([\d,]+) of [\d,]+ paragraphs are indexed and kept", ending[-2])
    assert total - left <= done < total
    # Interrupted while it still prints a line, it prints that again.
    assert set(ending[:-2]) <= {told.rstrip()}

    control, terminal = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal)
    process_of.append(process)
    os.close(terminal)
    seen = read_until(control, r"paragraphs to index, about")
    # The bar, before or after: it moves on from what was done.
    seen += read_until(control, rf"\d+/{total}\b")
    process.send_signal(signal.SIGINT)
    seen += read_until(control, r"Stopped\.")
    assert process.wait(PATIENCE) == 130
    os.close(control)
    assert "Traceback" not in seen
    again = number_in(r"Indexing ([\d,]+) paragraphs \(([\d,]+) of", seen)
    assert again <= total - done
    assert number_in(r"([\d,]+) of [\d,]+ paragraphs are indexed and kept", seen) > done


def number_in(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return int(found[1].replace(",", ""))
