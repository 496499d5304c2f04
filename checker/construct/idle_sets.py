"""Sets of features that are idle only together: the 0/1 vectors of a space that their relations leave (C3).

A set J is idle if every reader k receives a constant, sum_(j in J) W[k,j] phi_j, on the training inputs. Modulo a prime
that divides no weight there can only be more such sets than over Q, so all are found there; each is then verified.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.modular import nullspace, product, reduced

__all__ = ["FREE_COLUMNS", "LISTED", "idle_sets"]

# Sets are the 0/1 vectors of a space; beyond this dimension they are not enumerated.
FREE_COLUMNS = 20

# Sets listed at most.
LISTED = 1000


def idle_sets(
    kernel: np.ndarray,
    weights: np.ndarray,
    prime: int,
    are_idle: Callable[[Sequence[np.ndarray]], Sequence[bool]],
    name: Callable[[int], str],
) -> tuple[list[np.ndarray], list[str]]:
    """The minimal sets, as sorted indices of features, and what was not decided, in words.

    Parameters
    ----------
    kernel
        A basis of the relations of the features modulo the prime, without the entry of the constant; a vector a column.
    weights
        Those of the readers modulo the prime, all times one number, shape (readers, features); none is 0 that is not 0.
    are_idle
        Which sets are idle, exactly.
    name
        What a feature is called.

    Raises
    ------
    OutOfTime
        If the deadline in force is over.
    """
    space = _sets(kernel, weights, prime)
    solutions, left = [], []
    for part in looking(_components(space)):
        where = np.flatnonzero(part.any(axis=1))
        if part.shape[1] > FREE_COLUMNS:
            ends = f"{name(int(where[0]))} .. {name(int(where[-1]))}"
            left.append(f"the {len(where)} units {ends}: {part.shape[1]} free columns")
        else:
            solutions += _zero_one(part, prime)
    while True:
        minimal = list(islice(_minimal(solutions), LISTED + 1))
        found = [np.array([k for k in range(len(kernel)) if mask >> k & 1]) for mask in minimal[:LISTED]]
        false = {mask for mask, idle in zip(minimal, are_idle(found), strict=False) if not idle}
        if not false:
            break
        # Idle modulo the prime only; what contains it need not be.
        solutions = [mask for mask in solutions if mask not in false]
    if len(minimal) > LISTED:
        left.append(f"after {LISTED} circuits")
    return sorted(found, key=list), left


def _sets(kernel: np.ndarray, weights: np.ndarray, prime: int) -> np.ndarray:
    """A basis of {z : W[k] z is in the span of `kernel` for every reader k}, entrywise product, one vector a column.

    A unit that no relation involves has z = 0, because some reader weighs it.
    """
    involved = np.flatnonzero(kernel.any(axis=1))
    # What vanishes on the kernel, so that "in the span" becomes equations.
    equations = nullspace(kernel[involved].T, prime).T
    basis = np.eye(len(involved), dtype=np.int64)
    for row in looking(weights[:, involved]):
        if not basis.shape[1]:
            break
        conditions = product(equations * row % prime, basis, prime)
        if conditions.any():
            basis = product(basis, nullspace(conditions, prime), prime)
    result = np.zeros((len(kernel), basis.shape[1]), dtype=np.int64)
    result[involved] = reduced(basis, prime) if basis.shape[1] else basis
    return result


def _components(space: np.ndarray) -> list[np.ndarray]:
    """The reduced basis in parts with disjoint supports: a minimal set lies in one of them."""
    parts: list[tuple[set[int], list[int]]] = []
    for column in range(space.shape[1]):
        support, columns = set(np.flatnonzero(space[:, column]).tolist()), [column]
        for other in [part for part in parts if part[0] & support]:
            parts.remove(other)
            support, columns = support | other[0], columns + other[1]
        parts.append((support, columns))
    return [space[:, sorted(columns)] for _, columns in parts]


def _zero_one(basis: np.ndarray, prime: int) -> list[int]:
    """The nonzero 0/1 vectors in the span of a reduced basis, as bit masks."""
    support, count = np.flatnonzero(basis.any(axis=1)), basis.shape[1]
    basis = basis[support]
    low = min(count, 12)
    table = np.zeros((1, len(basis)), dtype=np.int64)
    for column in range(low):
        table = np.vstack([table, (table + basis[:, column]) % prime])
    masks = []
    for choice in looking(range(2 ** (count - low))):
        rest = [low + i for i in range(count - low) if choice >> i & 1]
        vectors = (table + basis[:, rest].sum(axis=1)) % prime
        for vector in vectors[(vectors <= 1).all(axis=1)]:
            masks.append(sum(1 << int(bit) for bit in support[vector == 1]))
    return [mask for mask in masks if mask]


def _minimal(masks: list[int]) -> Iterator[int]:
    """The masks that contain no other, smallest first."""
    kept: list[int] = []
    for mask in looking(sorted(masks, key=lambda mask: (mask.bit_count(), mask))):
        if not any(mask & small == small for small in kept):
            kept.append(mask)
            yield mask
