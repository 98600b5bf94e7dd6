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
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


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
