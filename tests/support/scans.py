"""Pages as a scanner makes them: pictures of text, a little askew; and what is read from such."""

from __future__ import annotations

import base64
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from index import Index
from index.encoder import Encoder
from index.models import CERTAIN
from index.readers.loader import read_document, read_raw

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
SIZE = (900, 480)  # 6 by 3.2 inches at 150 dots an inch: small, since large ones take long
MARGIN, LINE = 60, 44
ASKEW = 1.0
"""Degrees."""


def scanned(text: str) -> Image.Image:
    """A page with a text, whose lines end where the text has them end."""
    page = Image.new("L", SIZE, 250)
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(FONT, 26)
    for number, line in enumerate(text.splitlines()):
        draw.text((MARGIN, MARGIN + number * LINE), line, font=font, fill=20)
    return page.rotate(ASKEW, Image.Resampling.BICUBIC, fillcolor=250)


def save(file: Path, *texts: str) -> Path:
    """Pages with these texts as a file, of which kind its name says: PDF and TIFF hold several."""
    first, *others = [scanned(text) for text in texts]
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(file, resolution=150.0, dpi=(150, 150), **more)
    return file


def mixed(title: str, text: str) -> str:
    """A page of text and one that is a picture of this text, to be printed."""
    image = BytesIO()
    scanned(text).save(image, "PNG")
    data = base64.b64encode(image.getvalue()).decode()
    picture = f'<img width=730 src="data:image/png;base64,{data}">'
    others = "The tide tables of the year are given on this page and on the next one. " * 3
    return (
        f"<title>{title}</title><h1>{title}</h1><p>{others}</p>"
        f'<p style="break-before: page">{picture}</p>'
    )


def keep_uncertain(folder: Path, file: Path, number: int, *others: Path) -> None:
    """Keep a text in the index of a folder as if one of its paragraphs, from 1, had been read from
    a picture, and not surely: how surely a real one is read differs from machine to machine. With
    other files as they are."""
    document = read_document(file)
    paragraphs = [
        replace(own, certainty=CERTAIN / 2) if own.number == number else own
        for own in document.paragraphs
    ]
    with closing(Index(folder / "index", encoder=Encoder())) as index:
        index.sync(
            [replace(document, paragraphs=tuple(paragraphs)), *map(read_raw, others)], keep=True
        )
