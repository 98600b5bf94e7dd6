"""Text in pictures, through RapidOCR: the one module that knows it.

Its models (PP-OCRv6, small; Apache-2.0) come with it and nothing is downloaded. They know the Latin
letters with their accents, Greek, Chinese and Japanese.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, groupby, pairwise
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import UnreadableError

Picture = NDArray[np.uint8]
"""[height, width, 3]: blue, green, red."""

OVERVIEW_SIDE = 1000
"""Pixels of the longer side of a picture that is looked at to tell how it lies."""
READING_SIDE = 2200
"""Pixels of its longer side at which it is read: a page at some 190 dots an inch."""
MAX_ASPECT = 8
"""Times as long as wide a picture is at most; another is read with paper beside it."""
MIN_SKEW = 0.2
"""Degrees from which on a picture is turned straight."""
UPSIDE_DOWN = 0.5
"""Share of its lines that stand on their head where a picture does."""
WIDE, SPACES, APART = 0.6, 3, 0.22
"""Share of the usual width of a line's spaces from which on a gap between letters is one, and the
number of spaces from which that can be measured: of 3,700 gaps in words the widest had .50, of
1,000 between them the narrowest .64. The share of the letters' size where spaces are fewer."""
ABOVE, SMALL, BELOW = 0.73, 0.54, 0.21
"""Of the size of a font: how high its tall letters are, its small ones, and how deep those are that
reach below the line. Common fonts differ by a tenth."""
UNDERLINE, SOLID = (0.0, 0.34), 0.9
"""How far below its feet a line is underlined, in sizes of its letters, and the share of a word
below which its rule is inked. Not tuned."""
SPECK, RULE = 0.01, 0.75
"""Share of a row that is inked in the letters of a line; less are specks, more a rule."""
GRAIN = 0.15
"""Share of the difference between paper and ink that either differs by in itself. Not tuned."""
MIN_CONFIDENCE = 0.3
"""How surely the letters of a line are read in the mean that is not left out."""
#: Full-width marks, which the models also write in Latin text, and what stands for them there.
_NARROW: dict[int, int | str] = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_NARROW |= {ord("\u2103"): "°C", ord("\u2109"): "°F", ord("\u3000"): " "}
_TALL, _DEEP = re.compile(r"[^\Wacegmnopqrsuvwxyz_]"), re.compile(r"[gjpqyQ,;()\[\]{}|]")
_LAST_ROW = [0.0, 0.0, 1.0]
"""Of the matrix of a turn, which is left out elsewhere."""
_FIGURES = "0123456789.,:/-+%"
_EAST_ASIAN = range(0x3040, 0xA000)


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word in a picture that lies straight.

    Attributes:
        text: what it says.
        line: which line it stands in, from 0.
        box: left, top, right, bottom in pixels of the straightened picture: as far as there is ink.
        size: of the letters of its line in pixels, as of a font.
        base: how far down the line stands on which they do.
        weight: how thick their strokes are in pixels.
        is_underlined: whether a rule stands right below it that hardly reaches beyond its line.
        confidence: how surely it was read, of its least sure letter, from 0 to 1. Not calibrated.
    """

    text: str
    line: int
    box: tuple[float, float, float, float]
    size: float
    base: float
    weight: float
    confidence: float
    is_underlined: bool = False


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a picture says.

    Attributes:
        words: line after line.
        size: width and height of the straightened picture in pixels.
        back: leads from there to the picture as it is, float64 [2, 3].
    """

    words: tuple[RecognisedWord, ...]
    size: tuple[float, float]
    back: NDArray[np.float64]

    def seen(self, word: RecognisedWord) -> tuple[float, float, float, float]:
        """The box around a word in the picture as it is: left, top, right, bottom in pixels."""
        left, top, right, bottom = word.box
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]])
        places = corners @ self.back.T
        (a, b), (c, d) = places.min(axis=0), places.max(axis=0)
        return float(a), float(b), float(c), float(d)


def is_installed() -> bool:
    """Whether pictures can be read here."""
    from importlib.util import find_spec

    return find_spec("rapidocr") is not None


def not_installed() -> UnreadableError:
    """What is told where they cannot."""
    return UnreadableError(
        "Its text is in pictures, and what reads those is not installed. Whoever runs Footnote "
        "installs it with: pip install 'footnote-assistant[ocr]'",
        code="no_ocr",
    )


def recognised(picture: Picture) -> Recognition:
    """Read a picture, however it lies. What reads it has to be installed."""
    turned, back = _straightened(picture)
    height, width = turned.shape[:2]
    return Recognition(tuple(_read(turned)), (width, height), back)


@cache
def _engine(reads: bool = True) -> Any:
    """What reads lines that stand upright, or only finds where lines are and how they stand. On one
    thread: pages are read beside each other."""
    # The telemetry of onnxruntime looks up hosts outside, and is decided on when that is loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": 0.0,
            "Global.use_cls": not reads,  # of single lines it is wrong now and then
            "Global.use_rec": reads,
            "Global.use_vertical_padding": False,
            "Global.return_word_box": True,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _straightened(picture: Picture) -> tuple[Picture, NDArray[np.float64]]:
    """A picture whose lines run from left to right, or from right to left, at the size at which it
    is read; and what leads back."""
    import cv2

    longer = max(picture.shape[:2])
    # The library makes the shorter side of a picture so many pixels long, however long the other.
    below, beside = (max(0, longer // MAX_ASPECT - side) for side in picture.shape[:2])
    picture = np.pad(picture, ((0, below), (0, beside), (0, 0)), constant_values=255)
    scale = min(1.0, READING_SIDE / longer)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    back = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]])
    small = min(1.0, OVERVIEW_SIDE / max(picture.shape[:2]))
    looked = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    found, stand, _, _ = _engine(reads=False).run_ocr_steps(looked, {})
    if found.boxes is None or not len(found.boxes):
        return picture, back
    along = np.array([_side(box) for box in found.boxes])
    lengths = np.hypot(*along.T)
    is_tall = np.abs(along[:, 1]) > np.abs(along[:, 0])
    turn = 0.0
    if lengths[is_tall].sum() > lengths[~is_tall].sum():
        turn, along, is_tall = 90.0, along[:, ::-1] * [-1, 1], ~is_tall
    angles = np.degrees(np.arctan2(along[~is_tall, 1], along[~is_tall, 0]))
    angles = (angles + 90) % 180 - 90
    turn += _middle(angles, lengths[~is_tall])
    labels = [label for label, _ in stand.cls_res or ()]
    if labels.count("180") > UPSIDE_DOWN * len(labels):
        turn += 180.0
    if abs(turn) < MIN_SKEW:
        return picture, back
    turned, undo = _turned(picture, turn)
    return turned, (np.vstack([back, _LAST_ROW]) @ np.vstack([undo, _LAST_ROW]))[:2]


def _side(box: NDArray[np.float32]) -> NDArray[np.float32]:
    """The longer side of a box."""
    first, second = box[1] - box[0], box[2] - box[1]
    longer: NDArray[np.float32] = first if np.hypot(*first) >= np.hypot(*second) else second
    return longer


def _middle(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The weighted median."""
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def _turned(picture: Picture, degrees: float) -> tuple[Picture, NDArray[np.float64]]:
    """A picture turned against the clock, white around it; and what leads back."""
    import cv2

    height, width = picture.shape[:2]
    there = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(there[0, 0]), abs(there[0, 1])
    across, down = round(height * sin + width * cos), round(height * cos + width * sin)
    there[:, 2] += across / 2 - width / 2, down / 2 - height / 2
    turned = cv2.warpAffine(
        picture, there, (across, down), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
    )
    return turned, cv2.invertAffineTransform(there)  # type: ignore[return-value]


def _read(picture: Picture) -> list[RecognisedWord]:
    """The words of a picture that lies straight."""
    found, _, read, crops = _engine().run_ocr_steps(picture, {})
    if found.boxes is None or read.txts is None:
        return []
    words: list[RecognisedWord] = []
    lines = zip(found.boxes, read.txts, read.word_results, crops, strict=True)
    for line, (box, text, told, crop) in enumerate(lines):
        if text.strip() and sum(told.confs) >= MIN_CONFIDENCE * len(told.confs):
            words += _underlined(picture, list(_words(line, box, text, told, crop)))
    return words


def _underlined(picture: Picture, words: list[RecognisedWord]) -> list[RecognisedWord]:
    """The words of a line, marked where they are underlined: a row right below their feet is inked
    all along, and not so beside them, as where it is a rule of a table."""
    size, base = words[0].size, words[0].base
    left = max(0, int(words[0].box[0] - size))
    top, low, foot = (max(0, round(base + step * size)) for step in (-1.0, *UNDERLINE))
    grey = picture[top : foot + 1, left : int(words[-1].box[2] + size)].mean(axis=2)
    if low - top + 1 >= len(grey):
        return words
    dark = grey < (np.median(grey) + grey.min()) / 2
    # A rule that is not quite level is in one row here, and in the next there.
    rows = dark[low - top : -1] | dark[low - top + 1 :]

    def shares(start: float, end: float) -> NDArray[np.float64]:
        inside = rows[:, max(0, int(start) - left) : max(0, int(end) - left)]
        share: NDArray[np.float64] = inside.mean(axis=1) if inside.size else np.zeros(len(rows))
        return share

    under = np.array([shares(word.box[0], word.box[2]) for word in words]) >= SOLID
    row = int(under.sum(axis=0).argmax())
    marked = np.flatnonzero(under[:, row])
    if not len(marked):
        return words
    start, end = words[marked[0]].box[0], words[marked[-1]].box[2]
    beside = shares(start - size, start - size / 4)[row], shares(end + size / 4, end + size)[row]
    if max(beside) > 0.5 or end - start < size:
        return words
    return [
        replace(word, is_underlined=bool(is_under))
        for word, is_under in zip(words, under[:, row], strict=True)
    ]


def _words(
    line: int, box: NDArray[np.float32], text: str, told: Any, crop: Picture
) -> Iterator[RecognisedWord]:
    """The words of a line, each with its box: as far as ink is, at most to the next word."""
    left, upper = (float(edge) for edge in box.min(axis=0))
    right, lower = (float(edge) for edge in box.max(axis=0))
    width = crop.shape[1]
    ink = _ink(crop)
    darkness = _darkness(crop, ink)
    is_deep = _DEEP.search(text) is not None
    high, low = _rows(ink, is_deep)
    down = (lower - upper) / len(ink)
    top, bottom = upper + high * down, upper + low * down
    above = ABOVE if _TALL.search(text) else SMALL
    below = BELOW if is_deep else 0.0
    size = (bottom - top) / (above + below)
    scale, step = (right - left) / width, width / told.line_txt_len
    columns = chain.from_iterable(told.word_cols)
    letters: list[_Letter] = []
    follows_space = False
    for letter, sure in zip(text, told.confs, strict=True):
        if not letter.isspace():
            letters.append(_Letter(letter, (next(columns) + 0.5) * step, sure, follows_space))
        follows_space = letter.isspace()
    is_latin = not any(ord(letter) in _EAST_ASIAN for letter in text)
    apart = APART * size / down if is_latin else np.inf
    for group, start, end in _groups(letters, np.asarray(ink.any(axis=0)), apart):
        said = "".join(letter.text for letter in group)
        yield RecognisedWord(
            said.translate(_NARROW) if is_latin else said,
            line,
            (left + start * scale, top, left + end * scale, bottom),
            size,
            bottom - below * size,
            scale * _thickness(darkness[:, int(start) : int(np.ceil(end))]),
            min(letter.sure for letter in group),
        )


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter of a line: where its middle is in pixels, how surely it was read, and whether a
    space was read before it."""

    text: str
    middle: float
    sure: float
    follows_space: bool


def _groups(
    letters: Sequence[_Letter], ink: NDArray[np.bool_], apart: float
) -> Iterator[tuple[list[_Letter], float, float]]:
    """The words of a line, and where each begins and ends: between two of them at the widest gap of
    their ink. Where that is about as wide between letters as it is between the words of the line, a
    space was overlooked; of a line of few words, where it is as wide as `apart`."""
    gaps = [_widest_gap(ink, before.middle, after.middle) for before, after in pairwise(letters)]
    spaces = [
        end - start
        for (start, end), letter in zip(gaps, letters[1:], strict=True)
        if letter.follows_space
    ]
    usual = WIDE * median(spaces) if len(spaces) >= SPACES else 0.0
    wide = usual if usual and np.isfinite(apart) else apart
    inked = np.flatnonzero(ink)
    begin, last = (float(inked[0]), float(inked[-1] + 1)) if len(inked) else (0.0, float(len(ink)))
    group = [letters[0]]
    for (start, end), letter in zip(gaps, letters[1:], strict=True):
        # Figures stand further apart than letters, and are no words.
        is_seam = letter.text.isalnum() and (letter.text + group[-1].text).strip(_FIGURES)
        if letter.follows_space or (is_seam and end - start >= wide):
            yield group, begin, start
            group, begin = [], end
        group.append(letter)
    yield group, begin, last


def _ink(crop: Picture) -> NDArray[np.bool_]:
    """Where in the picture of a line something is printed, bool [height, width]."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    _, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    if dark.mean() > 0.5:  # light on dark
        dark = 1 - dark
    return np.asarray(dark, dtype=np.bool_)


def _darkness(crop: Picture, ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How dark the picture of a line is, from 0, as its paper, to 1, as its ink, [height, width]:
    the grain of both is left out."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float64)
    if ink.all() or not ink.any():
        return ink.astype(np.float64)
    away = abs(grey - np.median(grey[~ink]))
    share = away / max(np.percentile(away[ink], 90), 1.0)
    return np.clip((share - GRAIN) / (1 - 2 * GRAIN), 0.0, 1.0)


def _thickness(darkness: NDArray[np.float64]) -> float:
    """How thick strokes are: twice their area for the length of their edges, which is by how much
    darkness changes in all (coarea formula), and does not depend on how blurred they are."""
    around = np.pad(darkness, 1)
    edges = np.hypot(*(np.abs(np.diff(around, axis=axis)).sum() for axis in (0, 1)))
    return float(2 * darkness.sum() / edges) if edges else 0.0


def _rows(ink: NDArray[np.bool_], is_deep: bool) -> tuple[int, int]:
    """From which row of a line to which there are letters: neither specks nor rules; where no
    letter is deep, nothing from the row above a rule in the lower half on."""
    share = ink.mean(axis=1)
    inked = np.flatnonzero((share >= SPECK) & (share <= RULE))
    rules = np.flatnonzero(share[len(ink) // 2 :] > RULE) + len(ink) // 2
    if len(rules) and not is_deep:
        inked = inked[inked < rules[0] - 1]
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, len(ink))


def _widest_gap(ink: NDArray[np.bool_], start: float, end: float) -> tuple[float, float]:
    """The longest run of columns without ink among some; of several the first, of none the
    middle."""
    best, gap = 0, ((start + end) / 2, (start + end) / 2)
    at = int(start)
    stop = min(max(int(end), at + 1), len(ink))
    for is_inked, run in groupby(ink[at:stop].tolist()):
        length = len(list(run))
        if not is_inked and length > best:
            best, gap = length, (float(at), float(at + length))
        at += length
    return gap
