"""Text in pictures, through RapidOCR: the one module that knows it.

Its models (PP-OCRv6, small; Apache-2.0) come with it and nothing is downloaded. They know the Latin
letters with their accents, Greek, Chinese and Japanese.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import UnreadableError

Picture = NDArray[np.uint8]
"""[height, width, 3]: blue, green, red."""

LOOK = 1000
"""Pixels of the longer side of a picture that is looked at to tell how it lies."""
SIDE = 2200
"""Pixels of its longer side at which it is read: a page at some 190 dots an inch."""
SKEWED = 0.2
"""Degrees from which on a picture is straightened."""
TALL = 1.5
"""Times as high as wide: a line that lies on its side."""
UPSIDE_DOWN = 0.5
"""Share of the lines."""
READABLE = 0.5
"""How surely the letters of a line are read in the mean that is not left out."""
#: Full-width marks, which the models also write in Latin text, and what stands for them there.
_NARROW: dict[int, int | str] = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_NARROW |= {ord("\u2103"): "°C", ord("\u2109"): "°F", ord("\u3000"): " "}
_EAST_ASIAN = range(0x3040, 0xA000)


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    """A word in a picture that lies straight.

    Attributes:
        text: what it says.
        line: which line it stands in, from 0.
        box: left, top, right, bottom in pixels of the straightened picture.
        confidence: how surely it was read, of its least sure letter, from 0 to 1. Not calibrated.
    """

    text: str
    line: int
    box: tuple[float, float, float, float]
    confidence: float


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
        "installs it with: pip install 'footnote[ocr]'",
        code="no_ocr",
    )


def recognised(picture: Picture) -> Recognition:
    """Read a picture, however it lies.

    Raises:
        UnreadableError: what reads pictures is not installed.
    """
    turned, back = _straightened(picture)
    words, is_upside_down = _read(turned)
    if is_upside_down:
        turned, half = _turned(turned, 180.0)
        back = _after(back, half)
        words, _ = _read(turned)
    height, width = turned.shape[:2]
    return Recognition(tuple(words), (width, height), back)


@cache
def _engine(reads: bool = True) -> Any:
    """What reads pictures, or only finds where lines are. On one thread: pages are read beside each
    other."""
    if not is_installed():
        raise not_installed()
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": 0.0,
            "Global.use_cls": reads,
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
    scale = min(1.0, SIDE / longer)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    back = np.array([[1 / scale, 0, 0], [0, 1 / scale, 0]])
    small = min(1.0, LOOK / max(picture.shape[:2]))
    looked = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    found = _engine(reads=False)(looked)
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
    if abs(turn) < SKEWED:
        return picture, back
    turned, undo = _turned(picture, turn)
    return turned, _after(back, undo)


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


def _after(last: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    """What does one and then the other."""
    bottom = np.array([[0.0, 0.0, 1.0]])
    both: NDArray[np.float64] = (np.vstack([last, bottom]) @ np.vstack([first, bottom]))[:2]
    return both


def _read(picture: Picture) -> tuple[list[RecognisedWord], bool]:
    """The words of a picture that lies straight, and whether it stands on its head."""
    found, turned, read, crops = _engine().run_ocr_steps(picture, {})
    if found.boxes is None or read.txts is None:
        return [], False
    labels = [label for label, _ in turned.cls_res]
    is_upside_down = labels.count("180") > UPSIDE_DOWN * len(labels)
    words: list[RecognisedWord] = []
    lines = zip(found.boxes, read.txts, read.word_results, crops, strict=True)
    for line, (box, text, told, crop) in enumerate(lines):
        if text.strip() and sum(told.confs) >= READABLE * len(told.confs):
            words += _words(line, box, text, told, crop)
    return words, is_upside_down


def _words(
    line: int, box: NDArray[np.float32], text: str, told: Any, crop: Picture
) -> Iterator[RecognisedWord]:
    """The words of a line, each with its box: as far as ink is, at most to the next word."""
    left, top = box.min(axis=0)
    right, bottom = box.max(axis=0)
    width = crop.shape[1]
    columns = iter(column for own in told.word_cols for column in own)
    step = width / told.line_txt_len
    # Where the middle of each letter is, and how surely it was read; of white space nothing.
    letters = [
        (own, None if own.isspace() else (next(columns) + 0.5) * step, sure)
        for own, sure in zip(text, told.confs, strict=True)
    ]
    groups: list[list[tuple[str, float, float]]] = [[]]
    for own, middle, sure in letters:
        if middle is None:
            groups.append([])
        else:
            groups[-1].append((own, middle, sure))
    groups = [group for group in groups if group]
    ink = _ink(crop)
    edges = _edges([(group[0][1], group[-1][1]) for group in groups], ink)
    scale = float(right - left) / width
    is_latin = not any(ord(own) in _EAST_ASIAN for own in text)
    for group, (start, end) in zip(groups, edges, strict=True):
        said = "".join(own for own, _, _ in group)
        yield RecognisedWord(
            said.translate(_NARROW) if is_latin else said,
            line,
            (float(left) + start * scale, float(top), float(left) + end * scale, float(bottom)),
            min(sure for _, _, sure in group),
        )


def _ink(crop: Picture) -> NDArray[np.bool_]:
    """In which columns of a line something is printed, bool [width]."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    _, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    if dark.mean() > 0.5:  # light on dark
        dark = 1 - dark
    return np.asarray(dark.any(axis=0), dtype=np.bool_)


def _edges(
    middles: Sequence[tuple[float, float]], ink: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Where words begin and end, from the middles of their first and last letters: between two of
    them at the widest gap."""
    inked = np.flatnonzero(ink)
    first, last = (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, len(ink))
    starts, ends = [float(first)], []
    for (_, before), (after, _) in pairwise(middles):
        begin, end = _widest_gap(ink, int(before), max(int(after), int(before) + 1))
        ends.append(begin)
        starts.append(end)
    return list(zip(starts, [*ends, float(last)], strict=True))


def _widest_gap(ink: NDArray[np.bool_], start: int, end: int) -> tuple[float, float]:
    """The longest run of columns without ink among some; of several the first, of none the
    middle."""
    best, begin = (0, (start + end) / 2), start
    for at in range(start, min(end, len(ink)) + 1):
        if at == min(end, len(ink)) or ink[at]:
            if at - begin > best[0]:
                best = at - begin, float(begin)
            begin = at + 1
    return best[1], best[1] + best[0]
