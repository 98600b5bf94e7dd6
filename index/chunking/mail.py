"""E-mail into a layout: who wrote when to whom about what, then what was written; EML and MSG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from io import BytesIO
from itertools import groupby

from index.chunking.html import write_html
from index.chunking.layout import Composer, Layout

_SHOWN = ("From", "To", "Cc", "Date")

MAX_HEADER = 2000
"""Characters of a header: to parse one takes time that grows with its square."""


_POLICY = default.clone(
    header_factory=lambda name, value: default.header_factory(name, value[:MAX_HEADER])
)


def read_eml(content: bytes, _name: str) -> Layout:
    """The layout of a message as it is sent."""
    message = BytesParser(EmailMessage, policy=_POLICY).parsebytes(content)
    headers = [f"{key}: {message[key]}" for key in _SHOWN if message[key]]
    plain = message.get_body(("plain",))
    rich = None if plain else message.get_body(("html",))
    body = plain.get_content() if plain else ""
    html = rich.get_content() if rich else ""
    attached = [part.get_filename() or "" for part in message.iter_attachments()]
    return _layout(str(message["Subject"] or ""), headers, body, html, attached)


def read_msg(content: bytes, _name: str) -> Layout:
    """The layout of a message as Outlook keeps it."""
    from oxmsg import Message

    message = Message.load(BytesIO(content))
    people = ", ".join(f"{r.name} <{r.email_address}>" for r in message.recipients)
    fields = (("From", message.sender), ("To", people), ("Date", message.sent_date))
    headers = [f"{key}: {value}" for key, value in fields if value]
    attached = [own.file_name or "" for own in message.attachments]
    body = message.body or ""
    html = "" if body else message.html_body or ""
    return _layout(message.subject, headers, body, html, attached)


def _layout(
    subject: str, headers: Sequence[str], body: str, html: str, attached: Sequence[str]
) -> Layout:
    out = Composer()
    out.heading(1, subject)
    out.block(headers, "lines")
    for paragraph in _paragraphs(body):
        out.block([paragraph], "prose")
    if html:
        write_html(out, html)
    if any(attached):
        out.block([f"Attached: {', '.join(filter(None, attached))}"], "lines")
    return out.layout(subject or None)


def _paragraphs(body: str) -> Iterator[str]:
    """Runs of lines with blank ones between."""
    lines = map(str.strip, body.splitlines())
    return (" ".join(run) for has_text, run in groupby(lines, bool) if has_text)
