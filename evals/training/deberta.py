"""DeBERTa's attention to relative positions, by shifting instead of gathering.

`transformers` looks every pair of tokens up in the scores by relative position; on a processor the
look-up, and above all its gradient, takes longer than the rest of the attention. Consecutive pairs
are consecutive in the table, so that cutting its rows at another length does the same (Dai et al.,
"Transformer-XL", arXiv 1901.02860, appendix B). For training and scoring only: what is exported
keeps the code of the library.
"""

from __future__ import annotations

import math
from types import MethodType
from typing import Any

import torch


def shift_positions(encoder: Any) -> None:
    """Let a DeBERTa-v2 encoder whose keys and positions share their projections shift. Others are
    left as they are."""
    from transformers.models.deberta_v2.modeling_deberta_v2 import DisentangledSelfAttention

    for module in encoder.modules():
        if isinstance(module, DisentangledSelfAttention) and (
            module.share_att_key and set(module.pos_att_type) == {"c2p", "p2c"}
        ):
            module.disentangled_attention_bias = MethodType(_bias, module)  # type: ignore[method-assign]


def _bias(
    attention: Any,
    query: Any,
    key: Any,
    relative_positions: Any,  # noqa: ARG001 (by the library's signature)
    embeddings: Any,
    scale_factor: int,
) -> Any:
    """What the positions add to the scores [B * heads, L, L].

    Args:
        query, key: [B * heads, L, d].
    """
    from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

    heads, length, width = attention.num_attention_heads, query.size(-2), query.size(-1)
    offsets = torch.arange(length - 1, -length - 1, -1)  # one more: rows of even length are cut
    buckets = offsets
    if attention.position_buckets > 0:
        buckets = make_log_bucket_position(
            offsets, attention.position_buckets, attention.max_relative_positions
        ).long()
    span = attention.pos_ebd_size
    batch = query.size(0) // heads

    def positions(project: Any, ordered: Any) -> Any:
        rows = embeddings[(ordered + span).clamp(0, 2 * span - 1)]  # [2 L, hidden]
        return project(rows).view(-1, heads, width).permute(1, 2, 0).repeat(batch, 1, 1)

    from_content = _shifted(torch.bmm(query, positions(attention.key_proj, buckets)))
    to_content = _shifted(torch.bmm(key, positions(attention.query_proj, -buckets)))
    return (from_content + to_content.transpose(-1, -2)) / math.sqrt(width * scale_factor)


def _shifted(scores: Any) -> Any:
    """[N, L, 2 L] by offset, from L - 1 down, gives [N, L, L] by token: row i begins at column
    L - 1 - i, which is L - 1 behind where rows of 2 L - 1 would begin."""
    count, length, offsets = scores.shape
    strides = (length * offsets, offsets - 1, 1)
    return scores.as_strided((count, length, length), strides, length - 1)
