"""How the models share the processor: among the threads of this process, and with others.

PyTorch, ONNX Runtime and the like each keep a pool of as many threads as there are cores, and split
every operation among them. At its end they wait for each other. Where something else runs on the
core of one of them, all wait, some hundred times a pass: a question that is encoded in 5 ms on two
threads took 200 ms and more beside busy processes, and less than 6 ms on one. So
a small model computes on one thread (`one_thread`); several cores are made use of by computing
several things at once, as many as there are `cores`. Questions that come at the same time are not
gathered either: eight threads that each encode their own were done in 5.4 ms a question on two
cores, and in 9.5 ms where they waited to go through the model together.

`OMP_NUM_THREADS`, where it is set, is the number of cores that are made use of.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController
    from torch import Tensor, nn


def cores() -> int:
    """How many threads are to compute at once."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if given.isdigit() and int(given):
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread() -> AbstractContextManager[object]:
    """Let PyTorch compute on the calling thread alone. Other threads are as they were, and so is
    this one afterwards."""
    import torch

    torch.get_num_threads()  # where it is a thread's first use of PyTorch, this sets the number
    limited: AbstractContextManager[object] = _openmp().limit(limits=1)
    return limited


@cache
def _openmp() -> ThreadpoolController:
    """The libraries that PyTorch's operations are split by; each counts by calling thread."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")


def linear(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """A linear layer with its weights laid out as the processor's kernels want them, for good:
    PyTorch otherwise does that anew in every pass. What comes out has the same bits.

    Where this PyTorch or the processor has no such kernels, or the weights are not bfloat16, it is
    PyTorch's own. The operations are those that `torch.compile` makes use of.

    Args:
        weight, bias: [out, in] and [out].
    """
    import torch

    kernels = torch.ops.mkldnn
    known = all(hasattr(kernels, name) for name in ("_reorder_linear_weight", "_linear_pointwise"))
    packs = known and kernels._is_mkldnn_bf16_supported()  # noqa: SLF001
    if not packs or weight.dtype != torch.bfloat16:
        return lambda states: torch.nn.functional.linear(states, weight, bias)
    with torch.inference_mode():
        packed = kernels._reorder_linear_weight(weight, None)  # noqa: SLF001

    def apply(states: Tensor) -> Tensor:
        made: Tensor = kernels._linear_pointwise(  # noqa: SLF001
            states, packed, bias, "none", [], ""
        )
        return made

    return apply


def pack_weights(model: nn.Module) -> None:
    """Make a `linear` of each linear layer of a bfloat16 model."""
    import torch
    from torch import nn

    for layer in model.modules():
        if type(layer) is not nn.Linear or layer.bias is None:
            continue  # what is made from a linear layer may do more
        if layer.weight.dtype == torch.bfloat16:
            own = linear(layer.weight.detach(), layer.bias.detach())
            layer.forward = own  # type: ignore[method-assign, assignment]
            layer.weight = None  # type: ignore[assignment]
