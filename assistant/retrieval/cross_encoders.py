"""Cross-encoders of sentence-transformers, set by name: what scores pairs of texts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.errors import ReaderError


class CrossEncoderModel:
    """A cross-encoder by its name or folder.

    Args:
        name: as sentence-transformers takes it.
        role: what it is here, for the message.
        remedy: what to do when it cannot be loaded, for the message.

    Attributes:
        fingerprint: names it.
        labels: of its outputs, in order; lower case.

    Raises:
        ReaderError: it cannot be loaded.
    """

    def __init__(self, name: str, role: str, remedy: str) -> None:
        from sentence_transformers import CrossEncoder

        try:
            self._model = CrossEncoder(name, device="cpu")
        except Exception as error:  # the libraries below raise anything from OSError to KeyError
            raise ReaderError(f"The {role} {name!r} cannot be loaded: {error}. {remedy}") from error
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()[:12]
        named = self._model.config.id2label
        self.labels = [str(named[number]).lower() for number in sorted(named)]

    def logits(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Its raw outputs, shape (pairs, outputs)."""
        import torch

        found = self._model.predict(
            list(pairs), activation_fn=torch.nn.Identity(), show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32).reshape(len(pairs), -1)
