"""Data to train the reading model on, made up, so that what is learned of it is nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def write_data(folder: Path) -> None:
    """Write `qa`, `relevance` and `nli` as the scripts of training read them."""
    towns = [
        f"{a}{b}" for a in ("Bren", "Quill", "Tor", "Zan") for b in ("na", "on", "mouth", "ia")
    ]
    contexts = [
        f"The museum of {town} stands by the river, below the castle and its garden. "
        f"It was opened by Mayor {town} in {1900 + n}. "
        f"Tickets cost {n + 3} crowns. It is closed on Mondays."
        for n, town in enumerate(towns)
    ]
    asked = [
        {
            "question": f"When was the museum of {town} opened?",
            "context": context,
            "title": town if n % 2 else "",
            "answers": [str(1900 + n)] if n % 4 else [],
        }
        for n, (town, context) in enumerate(zip(towns, contexts, strict=True))
    ]
    twice = f"{contexts[0]} The museum of {towns[0]} has a fountain."
    fountain = {"question": "Who has a fountain?", "context": twice, "answers": [towns[0]]}
    _write(folder, "qa", [*asked, fountain])
    tickets = [context.split(". ")[2] for context in contexts]
    labelled = [
        {"question": f"What does it cost in {town}?", "sentence": text, "label": n % 2}
        for n, (town, text) in enumerate(zip(towns, tickets, strict=True))
    ]
    _write(folder, "relevance", labelled)
    kinds = ("entailment", "neutral", "contradiction")
    pairs = [
        {"premise": c, "hypothesis": f"{thing} is in {t}.", "label": kinds[n % 3]}
        for n, (t, c) in enumerate(zip(towns, contexts, strict=True))
        for thing in ("A museum", "A castle")
    ]
    _write(folder, "nli", pairs)


def _write(folder: Path, name: str, records: list[dict[str, Any]]) -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"src": name, **record}) + "\n" for record in records)
