"""Where a kernel looks: the entries of a padded input that each position of a convolution or a pooling reads.

One description for convolutions and pools of any number of spatial axes; a reader of files computes the counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

import numpy as np

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """Positions of a kernel along the spatial axes, all tuples of one length.

    Position p of an axis reads the entries ``p * stride - before + k * dilation`` for k below the kernel's size. An
    entry that does not exist is padding.

    Parameters
    ----------
    kernel
        How many entries each position reads along each axis.
    counts
        How many positions there are along each axis.
    strides, dilations
        At least 1 each.
    before
        How much padding stands before the first entry of each axis, at least 0.

    Raises
    ------
    ValueError
        If the tuples differ in length, or a number is too small.

    Examples
    --------
    >>> Window((3,), (2,), strides=(2,), before=(1,)).index((4,)).tolist()
    [[-1, 0, 1], [1, 2, 3]]
    """

    kernel: tuple[int, ...]
    counts: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]

    def __init__(
        self,
        kernel: Iterable[int],
        counts: Iterable[int],
        strides: Iterable[int] | None = None,
        dilations: Iterable[int] | None = None,
        before: Iterable[int] | None = None,
    ) -> None:
        sizes = tuple(kernel)
        axes = len(sizes)
        fields = {
            "kernel": sizes,
            "counts": tuple(counts),
            "strides": tuple(strides or (1,) * axes),
            "dilations": tuple(dilations or (1,) * axes),
            "before": tuple(before or (0,) * axes),
        }
        for name, numbers in fields.items():
            if len(numbers) != axes or not axes:
                raise ValueError(f"{name} {numbers} for {axes} spatial axes")
            if min(numbers) < (0 if name == "before" else 1):
                raise ValueError(f"{name} {numbers}: a number is too small")
            object.__setattr__(self, name, numbers)

    @property
    def positions(self) -> int:
        """How many positions there are."""
        return prod(self.counts)

    @property
    def size(self) -> int:
        """How many entries a position reads of one channel."""
        return prod(self.kernel)

    def index(self, spatial: tuple[int, ...]) -> np.ndarray:
        """For each position the entries that it reads of one channel, flattened: int64, (positions, size).

        Padding is -1. `spatial` are the sizes of the channel's axes.

        Raises
        ------
        ValueError
            If there are not as many sizes as axes.
        """
        if len(spatial) != len(self.kernel):
            raise ValueError(f"a kernel of {len(self.kernel)} axes on values of {len(spatial)} spatial axes")
        flat = np.zeros((1, 1), dtype=np.int64)
        inside = np.ones((1, 1), dtype=bool)
        axes = zip(self.kernel, self.counts, self.strides, self.dilations, self.before, spatial, strict=True)
        for kernel, count, stride, dilation, before, size in axes:
            here = np.arange(count)[:, None] * stride - before + np.arange(kernel) * dilation
            flat = _product(flat * size, here, np.add)
            inside = _product(inside, (here >= 0) & (here < size), np.logical_and)
        return np.where(inside, flat, -1)


def _product(left: np.ndarray, right: np.ndarray, combine: np.ufunc) -> np.ndarray:
    """The combinations of two tables (positions, entries): those of the left one first."""
    table = combine(left[:, None, :, None], right[None, :, None, :])
    return np.asarray(table).reshape(left.shape[0] * right.shape[0], left.shape[1] * right.shape[1])
