"""Printed pages as a scanner would have them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops, ImageFilter


def scan(
    printed: Path,
    file: Path,
    *,
    dpi: int = 200,
    degrees: Sequence[float] = (0.0,),
    blur: float = 0.0,
    quality: int = 60,
) -> Path:
    """The pages of a PDF as grey pictures: a PDF of nothing else, or what the file's name says.

    Args:
        printed: the PDF.
        file: to be written; `.pdf`, `.tif`, or of one page `.png` or `.jpg`.
        dpi: dots an inch.
        degrees: that the pages are turned by against the clock, one after the other.
        blur: radius in dots.
        quality: of JPEG.
    """
    pages = []
    with pypdfium2.PdfDocument(printed) as pdf:
        for number, page in enumerate(pdf):
            picture = page.render(scale=dpi / 72).to_pil().convert("L")
            picture = picture.rotate(
                degrees[number % len(degrees)], Image.Resampling.BICUBIC, fillcolor=255
            )
            if blur:
                picture = picture.filter(ImageFilter.GaussianBlur(blur))
            pages.append(_worn(picture, number))
    first, *others = pages
    more = {"save_all": True, "append_images": others} if file.suffix in (".pdf", ".tif") else {}
    first.save(file, resolution=dpi, dpi=(dpi, dpi), quality=quality, **more)
    return file


def _worn(picture: Image.Image, seed: int) -> Image.Image:
    """Not quite white, not quite black, with some grain: the same for the same seed."""
    made = random.Random(seed)
    grain = Image.frombytes("L", (251, 241), made.randbytes(251 * 241)).resize(picture.size)
    greyed = picture.point(lambda value: 40 + value * 200 // 255)
    return ImageChops.subtract(greyed, grain.point(lambda value: value // 16))


def turned(
    point: tuple[float, float], size: tuple[float, float], degrees: float
) -> tuple[float, float]:
    """Where a point of a page is, after the page was turned against the clock about its middle."""
    x, y = point[0] - size[0] / 2, point[1] - size[1] / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cos + y * sin + size[0] / 2, y * cos - x * sin + size[1] / 2
