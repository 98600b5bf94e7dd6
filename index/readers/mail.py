"""E-mail into a layout: who wrote when to whom about what, what was written, and the files that are
attached, each under its name; EML and MSG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import getaddresses
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from index.chunking.decoding import declared, decoded
from index.chunking.layout import Composer, Layout
from index.chunking.metadata import metadata_of
from index.readers.html import write_html

_SHOWN = ("From", "To", "Cc", "Date")

MAX_HEADER = 2000
"""Characters of a header: to parse one takes time that grows with its square."""


MAX_ATTACHED = 100
"""Attached files that are read of a message; others are named."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that is attached to a message.

    Attributes:
        name: of the file.
        content: its bytes; None where the message does not hold them.
    """

    name: str
    content: bytes | None


ReadAttached = Callable[[Attached], Layout | None]
"""Gives the layout of an attached file; None of one that is not read."""

_POLICY = default.clone(
    header_factory=lambda name, value: default.header_factory(name, value[:MAX_HEADER])
)


def read_eml(content: bytes, name: str, read: ReadAttached) -> Layout:
    """The layout of a message as it is sent."""
    message = BytesParser(EmailMessage, policy=_POLICY).parsebytes(content)
    headers = {key: message[key] for key in _SHOWN if message[key]}
    plain = message.get_body(("plain",))
    rich = None if plain else message.get_body(("html",))
    body = _text_of(plain, name) if plain else ""
    html = _text_of(rich, name) if rich else ""
    attached = map(_attached, message.iter_attachments())
    return _layout(str(message["Subject"] or ""), headers, body, html, attached, read)


def _text_of(part: Any, name: str) -> str:
    text = _declared(part)
    return decoded(part.get_payload(decode=True), Path(name)) if text is None else text


def _declared(part: Any) -> str | None:
    """The text of a part in the encoding that it declares; None where it declares none."""
    charset = part.get_content_charset("")
    return declared(part.get_payload(decode=True), charset, "replace") if charset else None


def _attached(part: EmailMessage) -> Attached:
    if part.get_content_type() == "message/rfc822":
        message = part.get_content()
        name = part.get_filename() or f"{message['Subject'] or 'message'}.eml"
        return Attached(name, message.as_bytes())
    is_text = part.get_content_type() in ("text/plain", "text/csv")
    text = _declared(part) if is_text else None
    content: Any = part.get_payload(decode=True) if text is None else text.encode()
    return Attached(part.get_filename() or "", content)


def read_msg(content: bytes, _name: str, read: ReadAttached) -> Layout:
    """The layout of a message as Outlook keeps it."""
    from oxmsg import Message

    message = Message.load(BytesIO(content))
    people = ", ".join(f"{r.name} <{r.email_address}>" for r in message.recipients)
    sender = _POLICY.header_factory("From", message.sender or "")
    headers = {"From": sender, "To": people, "Date": message.sent_date}
    attached = [Attached(file.file_name or "", file.file_bytes) for file in message.attachments]
    body = message.body or ""
    html = "" if body else message.html_body or ""
    return _layout(message.subject, headers, body, html, attached, read)


def _layout(
    subject: str,
    headers: Mapping[str, object],
    body: str,
    html: str,
    attached: Iterable[Attached],
    read: ReadAttached,
) -> Layout:
    out = Composer()
    out.heading(1, subject)
    out.block([f"{key}: {value}" for key, value in headers.items() if value], "lines")
    for has_text, lines in groupby(map(str.strip, body.splitlines()), bool):
        if has_text:
            out.block([" ".join(lines)], "prose")
    if html:
        write_html(out, html)
    others = []
    for number, file in enumerate(attached):
        layout = read(file) if number < MAX_ATTACHED else None
        if layout and layout.parts:
            out.heading(2, f"Attached: {file.name}")
            out.include(layout, 2, file.name)
        elif file.name:
            others.append(file.name)
    if others:
        out.heading(2, "Attached")
        out.block([f"Attached: {', '.join(others)}"], "lines")
    senders = getaddresses([str(headers.get("From") or "")[:MAX_HEADER]])
    authors = [name or address for name, address in senders]
    return out.layout(subject or None, metadata_of([authors], [str(headers.get("Date") or "")]))
