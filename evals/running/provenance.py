"""What a result was made with: versions, settings, fingerprints of models, numbers and code."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant import Assistant, calibration
from assistant.settings import WITHOUT_SERVER
from index.about import VERSION

#: Libraries whose version may change a figure.
LIBRARIES = "bm25s chromadb numpy onnxruntime scipy sentence-transformers sentencex torch".split()
#: Settings that change nothing about an answer.
_WHERE = {"index_dir", "at_once", "fetch", "max_upload", "max_stored", "rate", *WITHOUT_SERVER}


def provenance(assistant: Assistant) -> dict[str, Any]:
    """Return all that the records depend on but the set, as plain values."""
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
        "settings": {n: v for n, v in sorted(settings.items()) if n not in _WHERE},
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
    """Return a hash of the code of the three packages, 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for package in ("index", "assistant", "evals"):
        root = Path(str(files(package)))
        for file in sorted(root.rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:12]
