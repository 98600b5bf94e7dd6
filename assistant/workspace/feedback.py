"""What readers say of answers, kept as questions for an evaluation set.

Each is a line of the question-set format (see `evals.datasets.loader`). Where a reader has said
which passages answer, it is complete. Else it is a draft, with `"draft": true`: the question, the
conversation before it and what was answered are there, the gold evidence is not yet.
`footnote eval` counts no draft; it says how many there are and how to complete them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import filelock
import sqlalchemy as sa

from assistant.answer import Answer, Citation
from assistant.query.rewriting import Turn
from index import Index
from index.database.database import Database
from index.database.tables import metadata, put_row, text, time
from index.errors import UnreadableError
from index.store.atomic import write_atomically

#: What a reader says of an answer: right, wrong, or that nothing which is shown answers.
Opinion = Literal["up", "down", "none"]

#: What is wrong with an answer that is not right: it is false, it answers another question, it
#: leaves something out, it cites what does not support it.
Reason = Literal["wrong", "other", "incomplete", "source"]

LOCK_TIMEOUT = 10.0  # seconds for another writer; each holds the file for milliseconds


#: What readers said of answers, each as a line of a question set.
feedback = sa.Table(
    "feedback", metadata, text("id", primary_key=True), time("added"), text("draft")
)


def drafts_in(index: Index) -> str:
    """The drafts as a question set, a line of JSON for each.

    Raises:
        IndexUnusableError: the database cannot be read.
    """
    with index.database.read() as connection:
        drafts = connection.scalars(sa.select(feedback.c.draft).order_by(feedback.c.id))
        return "".join(f"{draft}\n" for draft in drafts)


def add_draft(
    database: Database,
    question: str,
    *,
    owner: str = "",
    history: Sequence[Turn] = (),
    answer: Answer | None = None,
    verdict: Opinion,
    reason: Reason | None = None,
    comment: str = "",
    chosen: Sequence[Citation] = (),
) -> None:
    """Keep a question; may be called from several threads and processes at once.

    With the passages of which the reader says that each answers it, it is complete. An approved
    answer (`up`) is proposed as the gold: whether it was refused, and what it quoted; of an unsure
    one, that what it showed does answer. Of a rejected one nothing is proposed, and where nothing
    that was shown answers (`none`) that nothing does. Of the same question after the same
    conversation each reader has one, which says what they said last.

    Args:
        database: of an index.
        question: as it was asked.
        owner: who says it; "" where nobody logs in.
        history: the conversation before it.
        answer: what was answered, where anything was.
        verdict: what the reader said of it.
        reason, comment: what is wrong with it, where that was said.
        chosen: the passages that answer.

    Raises:
        IndexUnusableError: the database cannot be written.
    """
    added = datetime.now(UTC)
    draft: dict[str, Any] = {
        "id": draft_id(question, history, owner),
        "draft": True,
        "question": question,
        "answerable": None,
        "evidence": [],
        "answers": [],
        "history": [{"role": turn["role"], "content": turn["content"]} for turn in history],
        "verdict": verdict,
        "added": added.isoformat(timespec="seconds"),
    }
    draft |= {k: v for k, v in (("reason", reason), ("comment", comment)) if v}
    if answer is not None:
        draft["answered"] = {
            "status": answer.status,
            "confidence": answer.confidence and round(answer.confidence, 4),
            "text": answer.text,
            "quotes": [citation.quote for citation in answer.citations],
            "sources": list(dict.fromkeys(citation.source for citation in answer.citations)),
        }
        if verdict == "up":
            draft["answerable"] = not answer.refused
            draft["evidence"] = [citation.quote for citation in answer.citations]
    if chosen:
        quotes = list(dict.fromkeys(citation.quote for citation in chosen))
        draft["answerable"], draft["evidence"] = True, [quotes]  # any of them will do
        del draft["draft"]
    elif verdict == "none":
        draft["answerable"] = False
    values = {"added": added.timestamp(), "draft": _line(draft)}
    with database.write() as connection:
        put_row(connection, feedback, {"id": draft["id"]}, values)


def remove_draft(
    database: Database, question: str, *, owner: str = "", history: Sequence[Turn] = ()
) -> None:
    """Take back what a reader said of an answer; see `add_draft`."""
    same = feedback.c.id == draft_id(question, history, owner)
    with database.write() as connection:
        connection.execute(sa.delete(feedback).where(same))


def draft_id(question: str, history: Sequence[Turn] = (), owner: str = "") -> str:
    """Names what a reader says of a question after a conversation: `draft-` and 10 hexadecimal
    digits."""
    said = owner + json.dumps([[turn["role"], turn["content"]] for turn in history] + [question])
    return f"draft-{hashlib.sha256(said.encode()).hexdigest()[:10]}"


def put_line(path: Path, question: dict[str, Any]) -> None:
    """Append a question to a set; a draft of the same id is replaced, a completed one kept.

    Every other line stays as it is, whatever it holds. The file is written beside and renamed, so
    that a reader or a crash never meets half of it.

    Raises:
        UnreadableError: the file cannot be written, or another process does not let go of it.
    """
    path = path.expanduser().resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_TIMEOUT):
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            lines = [line for line in text.split("\n") if line.strip()]
            same = [line for line in lines if _parsed(line).get("id") == question["id"]]
            if any(not _parsed(line).get("draft") for line in same):
                return
            kept = [line for line in lines if line not in same]
            write_atomically(path, "".join(f"{line}\n" for line in [*kept, _line(question)]))
    except (OSError, UnicodeDecodeError) as error:  # of which that of the lock is one
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, filelock.Timeout):
            reason = "another process does not let go of it"
        raise UnreadableError(f"The question cannot be kept in {path}: {reason}.") from error


def _line(question: dict[str, Any]) -> str:
    return json.dumps(question, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # not ours to judge: the evaluation names a malformed line
    return found if isinstance(found, dict) else {}
