"""How the models share the processor: among the threads of this process, and with others.

PyTorch, ONNX Runtime and the like each keep a pool of as many threads as there are cores, and split
every operation among them. At its end they wait for each other. Where something else runs on the
core of one of them, all wait, some hundred times a pass: a question that is encoded in 5 ms on two
threads took 200 ms and more beside busy processes, and less than 6 ms on one. So

- a small model computes on one thread (`one_thread`); several cores are made use of by computing
  several things at once, as many as there are `cores`;
- questions that come while others are encoded wait, and then go through the model together, which
  costs little more than one of them alone (`Together`).

`OMP_NUM_THREADS`, where it is set, is the number of cores that are made use of.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import LibController
    from torch import Tensor, nn

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def cores() -> int:
    """How many threads are to compute at once."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if given.isdigit() and int(given):
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch compute on the calling thread alone. Other threads are as they were, and so is
    this one afterwards."""
    import torch

    torch.get_num_threads()  # where it is a thread's first use of PyTorch, this sets the number
    before = [(pool, pool.get_num_threads()) for pool in _openmp()]
    try:
        for pool, _ in before:
            pool.set_num_threads(1)
        yield
    finally:
        for pool, count in before:
            pool.set_num_threads(count)


@cache
def _openmp() -> list[LibController]:
    """The libraries that PyTorch's operations are split by; each counts by calling thread."""
    from threadpoolctl import ThreadpoolController

    return list(ThreadpoolController().select(user_api="openmp").lib_controllers)


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


class _Request(Generic[_Given, _Made]):
    """What one thread wants done."""

    def __init__(self, items: Sequence[_Given]) -> None:
        self.items = items
        self.made: list[_Made] | None = None
        self.goes_alone = False  # where it went with others that failed
        self.woken = threading.Event()  # it is done, or the thread is to lead


class Together(Generic[_Given, _Made]):
    """Does in one go what several threads ask for while the last go was on.

    A thread that comes alone does its own work at once. One that comes while another is at work
    waits; when that one is done, the thread that has waited longest does the work of all that wait.
    There is no thread besides theirs, and nothing to close.

    Args:
        work: makes one thing of each; called by one thread at a time.
        most: how many things go together, unless one thread brings more.
    """

    def __init__(self, work: Callable[[list[_Given]], list[_Made]], most: int) -> None:
        self._work = work
        self._most = most
        self._guard = threading.Lock()
        self._waiting: deque[_Request[_Given, _Made]] = deque()
        self._is_led = False

    def __call__(self, items: Sequence[_Given]) -> list[_Made]:
        """What is made of each of them. Raises what `work` raises for these alone."""
        own = _Request[_Given, _Made](items)
        with self._guard:
            leads, self._is_led = not self._is_led, True
            if not leads:
                self._waiting.append(own)
        if not leads:
            self._wait(own)
        return self._lead(own) if own.made is None else own.made

    def _wait(self, own: _Request[_Given, _Made]) -> None:
        """Until it is done, or this thread is to lead."""
        try:
            own.woken.wait()
        except BaseException:  # Ctrl-C: nobody is to wait for a thread that has gone
            with self._guard:
                if own in self._waiting:
                    self._waiting.remove(own)
                elif own.woken.is_set() and own.made is None:
                    self._hand_on()
            raise

    def _lead(self, own: _Request[_Given, _Made]) -> list[_Made]:
        """Do it, with what else is waiting."""
        batch = [own]
        try:
            with self._guard:
                batch += self._fitting(own)
            try:
                return self._do(batch)
            except Exception:
                if len(batch) == 1:
                    raise
                # Whose fault it is shows when each goes by itself, in its own thread.
                for request in batch:
                    request.goes_alone = True
                return self._do([own])
        finally:
            with self._guard:
                # What is not done, be it that this thread was stopped, is done by others.
                left = [request for request in batch[1:] if request.made is None]
                self._waiting.extendleft(reversed(left))
                self._hand_on()
            for request in batch[1:]:
                if request.made is not None:
                    request.woken.set()

    def _fitting(self, own: _Request[_Given, _Made]) -> list[_Request[_Given, _Made]]:
        """Take those that wait and may go with it, in their order; `_guard` is held."""
        taken: list[_Request[_Given, _Made]] = []
        room = 0 if own.goes_alone else self._most - len(own.items)
        while self._waiting and not self._waiting[0].goes_alone:
            room -= len(self._waiting[0].items)
            if room < 0:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _do(self, batch: Sequence[_Request[_Given, _Made]]) -> list[_Made]:
        """Do all of it; returns what was made for the first."""
        made = self._work([item for request in batch for item in request.items])
        first = 0
        for request in batch:
            request.made = made[first : first + len(request.items)]
            first += len(request.items)
        return made[: len(batch[0].items)]

    def _hand_on(self) -> None:
        """Let the thread that has waited longest lead; `_guard` is held."""
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting.popleft().woken.set()
