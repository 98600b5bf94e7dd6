"""What a result was made with: versions, settings, fingerprints of models, numbers and code."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant import Assistant, calibration
from assistant.settings import WITHOUT_SERVER
from index.about import VERSION

#: Those whose version may change a figure.
LIBRARIES = (
    "bm25s chromadb ir-measures numpy onnxruntime scikit-learn scipy sentence-transformers "
    "sentencex torch"
).split()
#: Settings that change nothing about an answer.
_WHERE = {
    *"index_dir at_once fetch max_upload".split(),
    *"queue rate".split(),
    *WITHOUT_SERVER,
}


def provenance(assistant: Assistant, *, k: int, history: str) -> dict[str, Any]:
    """All that the records depend on but the set, as plain values.

    Args:
        assistant: as it is asked.
        k: how many paragraphs count as found.
        history: how follow-ups are asked.
    """
    numbers = calibration.load_calibration(
        assistant.reader_fingerprint, assistant.settings.calibration
    )
    fitted = json.dumps(asdict(numbers), sort_keys=True, default=dict)
    settings = assistant.settings.model_dump(mode="json")
    return {
        "versions": {
            "footnote": VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "machine": platform.machine(),
        "settings": {
            **{n: v for n, v in sorted(settings.items()) if n not in _WHERE},
            "k": k,
            "history": history,
        },
        "thresholds": asdict(assistant.thresholds),
        "fingerprints": {
            "encoder": assistant.index.encoder.fingerprint,
            "reader": assistant.reader_fingerprint,
            "calibration": hashlib.sha256(fitted.encode()).hexdigest()[:12],
            "code": code_fingerprint(),
        },
    }


@cache
def code_fingerprint() -> str:
    """Names the code of the three packages, 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for package in ("index", "assistant", "evals"):
        root = Path(str(files(package)))
        for file in sorted(root.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def commit() -> str | None:
    """The commit of the checkout that this code is of, 12 hexadecimal digits, with a plus sign
    where the code is not as it was committed. None where there is no checkout, or no git."""
    root = Path(str(files("evals"))).parent
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None

    def told(*arguments: str) -> str | None:
        done = subprocess.run(  # noqa: S603 (git, on this checkout)
            [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    named = told("rev-parse", "--short=12", "HEAD")
    # Texts about the code change no figure; these figures are one of them.
    code = ("index", "assistant", "evals", "seeds", ":!*.md")
    changed = told("status", "--porcelain", "--", *code)
    return f"{named}+" if named and changed else named


def machine() -> str:
    """System, architecture, cores, and the processor where known."""
    cores = os.cpu_count() or 1
    parts = [platform.system(), platform.machine(), f"{cores} core{'s' if cores > 1 else ''}"]
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return ", ".join(filter(None, [*parts, platform.processor()]))
    names = [line.partition(":")[2].strip() for line in told.splitlines() if "model name" in line]
    return ", ".join([*parts, *names[:1]])
