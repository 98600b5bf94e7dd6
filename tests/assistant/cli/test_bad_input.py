"""Whatever is given to it, Footnote says what is wrong, or answers; and it loses nothing."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import FOOTNOTE, PATIENCE, footnote, importing_helpers, ran, seed_sentences

from assistant import Assistant, FootnoteError
from assistant.documents import read_all, read_raw_documents
from index.errors import DocumentError, MissingPathError, UnreadableError

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
ELF = Path("/proc/self/exe")


# --- Files that cannot be read -----------------------------------------------------------------


def test_the_command_tells_it_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, content in (
        ("empty.txt", b""),
        ("blank.txt", b" \n\t \r\n\xc2\xa0\n"),
        ("picture.txt", PNG),
        ("damaged.docx", b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0"),
        ("damaged.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256))),
    ):
        (tmp_path / name).write_bytes(content)
    for path, told in (
        (tmp_path / "nowhere.txt", "no file or folder"),
        (tmp_path / "empty.txt" / "inside", "no file or folder"),
        (tmp_path / "loop", "no file or folder"),
        (tmp_path / ("a" * 300), "no file or folder"),
        (tmp_path / "folder", "holds no file to read"),
        (Path("/dev/zero"), "is a device"),
        (tmp_path / "empty.txt", "holds no text"),
        (tmp_path / "blank.txt", "holds no text"),
        (tmp_path / "picture.txt", "is damaged"),
        (ELF, "is not a text file"),
        (tmp_path / "damaged.docx", "is damaged"),
        (tmp_path / "damaged.pdf", "cannot be read as a PDF"),
    ):
        flags = ("--source", path, "--index-dir", tmp_path / "index")
        done = footnote("ask", "What is it?", *flags, code=2)
        assert done.stdout == ""
        assert done.stderr.startswith("footnote: ")
        assert done.stderr.count("\n") == 1
        assert f"{path.name}'" in done.stderr
        assert told in done.stderr
        # What tells it before the index is opened begins nothing.
        assert (tmp_path / "index").exists() is (path.suffix == ".pdf"), path


def test_what_is_bad_in_a_folder_is_told_where_somebody_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ferry.txt").write_text("The ferry to Brenna leaves at nine.")
    (folder / "picture.txt").write_bytes(PNG)
    (folder / "nowhere.txt").symlink_to(tmp_path / "nowhere")
    skipped: list[FootnoteError] = []
    with Assistant.open(folder, index_dir=tmp_path / "index", on_skip=skipped.append) as assistant:
        assert [Path(d.source).name for d in assistant.documents] == ["ferry.txt"]
    assert [type(error) for error in skipped] == [MissingPathError, UnreadableError]
    with pytest.raises(MissingPathError):  # nobody to tell it to
        Assistant.open(folder, index_dir=tmp_path / "index")
    with pytest.raises(UnreadableError):  # it was asked for by name
        read_raw_documents([folder, folder / "picture.txt"], skipped.append)
    (folder / "ferry.txt").unlink()
    with pytest.raises(DocumentError):
        read_raw_documents([folder], skipped.append)


# Commands in, as JSON; out come the exit code, output and errors of each.
UNPRIVILEGED = """
import json, sys
from helpers import footnote
done = [footnote(*arguments, code=None) for arguments in json.load(sys.stdin)]
print(json.dumps([[each.returncode, each.stdout, each.stderr] for each in done]))
"""


def test_permissions_are_told(tmp_path: Path) -> None:
    unprivileged: list[str] = []  # before a command, so that permissions hold for it
    if os.geteuid() == 0:
        setpriv, caps = shutil.which("setpriv"), "-dac_override,-dac_read_search"
        if setpriv is None:
            pytest.skip("root may read everything, and no `setpriv` (util-linux) can stop it")
        unprivileged = [setpriv, f"--bounding-set={caps}", f"--inh-caps={caps}"]
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
    try:
        done = ran(
            [*unprivileged, sys.executable, "-c", UNPRIVILEGED],
            input=json.dumps([[*each, "--index-dir", str(tmp_path / "i")] for each in commands]),
            env=os.environ | importing_helpers(),
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
    [first] = read_all([os.fsdecode(name)])
    [second] = read_all([os.fsdecode(other)])
    assert first.source.endswith(r"caf\xe9.txt")
    assert first.id != second.id
    with Assistant.open(os.fsdecode(name), index_dir=tmp_path / "index") as assistant:
        assert str(assistant.search("ferry")[0].paragraph.text).startswith("The ferry")
    read, write = os.pipe()
    os.write(write, b"The mill grinds rye.")
    os.close(write)
    [piped] = read_all([f"/dev/fd/{read}"])
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


# --- The index ----------------------------------------------------------------------------------


def test_an_index_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    for folder in (taken, taken / "inside", Path("/proc/footnote")):
        done = footnote("search", "x", "--index-dir", folder, code=2)
        assert str(folder) in done.stderr
        assert done.stderr.count("\n") == 1


# --- A large file -------------------------------------------------------------------------------


@pytest.mark.long
def test_a_large_file_is_announced_and_can_be_interrupted(tmp_path: Path) -> None:
    file, sentences, generator = tmp_path / "big.txt", seed_sentences(), random.Random(0)
    drawn = (f"{generator.choice(sentences)} This was case {n}. " for n in range(40_000))
    file.write_text("".join(drawn), encoding="utf-8")  # without a line break
    assert file.stat().st_size > 5_000_000
    command = [FOOTNOTE, "ask", "What is it?", "--source", str(file)]
    command += ["--index-dir", str(tmp_path / "index")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Reading big.txt, ")
        assert re.fullmatch(r"Indexing [\d,]+ paragraphs …\n", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        output, rest = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (130, "")
    kept = "What is indexed is kept; the same command goes on from there."
    # Interrupted between writing a line and forgetting it, rich writes that line again.
    assert rest.splitlines()[-2:] == [kept, "Stopped."]
