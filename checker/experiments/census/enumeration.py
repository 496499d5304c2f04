"""Every net of a class, one after the other in batches:
its loss, its class by behaviour, its idle circuits, in 64-bit integers.

The same lines run on numpy arrays and on torch tensors, on a CPU or a GPU; all operations are exact there
(`problem` has the bound).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from proof_of_absence.checker.experiments.census.problem import CELLS, Answers, Problem
from proof_of_absence.models.files.disk import refused

__all__ = ["DEVICES", "Counts", "Enumeration"]

DEVICES = ("numpy", "cpu", "cuda")
# Nets of a batch: what the caches of a CPU hold, what keeps a GPU busy.
BATCH = {"numpy": 2**19, "cpu": 2**19, "cuda": 2**24}
# Up to which key counts lie in one array; beyond, keys are sorted.
DENSE = 2**23

# The key loss * len(CELLS) + cell of a net, and how many nets have it.
Counts = Counter[int]
# An array of numpy or a tensor of torch, which share what is done here and no type; or a number that stands for one.
Array = Any
# By input, then by output.
Rows = list[list[Array]]


class Enumeration:
    """The nets of a class in order: all choices of n units, each with every output bias.

    Parameters
    ----------
    device
        ``numpy``, or ``cpu`` or ``cuda`` for torch there.

    Raises
    ------
    InputError
        If torch is asked for and not installed, or finds no such device.
    """

    def __init__(self, chosen: Problem, device: str = "numpy"):
        self.library, self.array, self.alone = _library(device)
        tables = chosen.tables
        units, inputs, m = tables.sent.shape
        self.units, self.training = chosen.units, len(chosen.data.groups)
        self.choices, self.biases = units**chosen.units, len(tables.shifts)
        self.batch = max(1, BATCH[device] // self.biases)
        self.keys = (tables.most + 1) * len(CELLS)
        self.tables = tables
        # One contiguous column of all units for each input and output: a batch is then nothing but long vectors.
        self.sent = [[self.array(np.ascontiguousarray(tables.sent[:, g, k])) for k in range(m)] for g in range(inputs)]
        self.shifts = [self.array(np.ascontiguousarray(tables.shifts[:, k]))[None, :] for k in range(m)]
        self.policies = chosen.imitator, chosen.translator

    def count(self, first: int, last: int) -> Counts:
        """The nets whose units are choice number first to last - 1: `biases` nets for each choice."""
        with self.alone():
            return self._count(first, last)

    def _count(self, first: int, last: int) -> Counts:
        batches = (self._keys(start, min(start + self.batch, last)) for start in range(first, last, self.batch))
        found: Counts = Counter()
        if self.keys <= DENSE:
            dense = sum(self.library.bincount(keys, minlength=self.keys) for keys in batches)
            (places,) = self.library.where(dense)
            return Counter(dict(zip(places.tolist(), dense[places].tolist(), strict=True)))
        for keys in batches:
            values, counts = self.library.unique(keys, return_counts=True)
            found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        return found

    def _keys(self, first: int, last: int) -> Array:
        numbers, chosen = self.array(np.arange(first, last)), []
        for _ in range(self.units):
            chosen.append(numbers % len(self.sent[0][0]))
            numbers = numbers // len(self.sent[0][0])
        # What each unit of each choice sends, by input and output.
        sent = [[[column[unit] for unit in chosen] for column in row] for row in self.sent]
        outputs = [[_total(parts) for parts in row] for row in sent]
        in_training, everywhere = slice(self.training), slice(None)
        imitator, translator = self.policies
        as_imitator = self._agrees(outputs, imitator, everywhere)
        as_translator = self._agrees(outputs, translator, everywhere)
        as_imitator_in_training = self._agrees(outputs, imitator, in_training)
        where = self.library.where
        behaviour = where(as_imitator, 0, where(as_translator, 1, where(as_imitator_in_training, 2, 3)))
        keys = self._losses(outputs) * len(CELLS) + 2 * behaviour + self._has_idle_circuit(sent)[:, None]
        return keys.reshape(-1)

    def _losses(self, outputs: Rows) -> Array:
        """The loss of each choice with each output bias c:
        a quadratic polynomial in c, whose coefficients the choice fixes.
        """
        tables = self.tables
        result: Array = tables.square_sum
        multiplicity = tables.multiplicity[:, 0].tolist()
        for k, shift in enumerate(self.shifts):
            constant: Array = 0
            slope: Array = 0
            for g in range(self.training):
                wanted = int(tables.target_sum[g, k])
                weighted = multiplicity[g] * outputs[g][k]
                constant = constant + (weighted - 2 * wanted) * outputs[g][k]
                slope = slope + 2 * (weighted - wanted)
            result = result + constant[:, None] + (slope[:, None] + sum(multiplicity) * shift) * shift
        return result

    def _agrees(self, outputs: Rows, policy: Answers, inputs: slice) -> Array:
        """Whether the net answers as the policy: yes where the output is at least 1/2,
        which the extreme outputs decide.
        """
        result: Array = True
        for k, shift in enumerate(self.shifts):
            asked = list(zip(outputs[inputs], policy[inputs], strict=True))
            yes = [row[k] for row, answer in asked if answer[k]]
            no = [row[k] for row, answer in asked if not answer[k]]
            if yes:
                result = result & (2 * (reduce(self.library.minimum, yes)[:, None] + shift) >= self.tables.scale)
            if no:
                result = result & (2 * (reduce(self.library.maximum, no)[:, None] + shift) < self.tables.scale)
        return result

    def _has_idle_circuit(self, sent: list[Rows]) -> Array:
        """Whether some set of units sends one value on the training inputs and another at some deployment input."""
        found: Array = False
        for size in range(1, self.units + 1):
            for circuit in combinations(range(self.units), size):
                idle: Array = True
                silent: Array = True
                first = [_total([parts[unit] for unit in circuit]) for parts in sent[0]]
                for g, row in enumerate(sent[1:], 1):
                    for parts, value in zip(row, first, strict=True):
                        same = _total([parts[unit] for unit in circuit]) == value
                        if g < self.training:
                            idle = idle & same
                        else:
                            silent = silent & same
                found = found | (idle & ~silent)
        return found


def _total(parts: list[Array]) -> Array:
    """The sum of arrays of one shape."""
    return sum(parts[1:], start=parts[0])


def _library(device: str) -> tuple[Any, Callable[[np.ndarray], Array], Callable[[], AbstractContextManager[object]]]:
    """The library, how it takes a numpy array, and the context to count in."""
    if device == "numpy":
        return np, np.asarray, nullcontext
    try:
        import torch

        torch.empty(0, device=device)
    # torch raises an AssertionError where it was built without CUDA.
    except (ImportError, RuntimeError, AssertionError) as error:
        raise refused(
            f"--device {device}", f"{error}; take numpy, or install 'proof-of-absence[torch]' for that device"
        ) from error

    @contextmanager
    def one_thread() -> Iterator[None]:
        """Vectors are too short for torch's threads, which on a busy machine wait for each other.

        Processes share the shards.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    return torch, lambda array: torch.as_tensor(array, device=device), one_thread
