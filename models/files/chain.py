"""A FloatNet built step by step, as a source lists its operators: affine maps, constants, ReLU.

What stands between two ReLUs is multiplied in rationals; a product that no float64 holds is refused by its entry.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import isqrt, lcm
from typing import TypeAlias

import numpy as np
from flint import fmpz_mat

from proof_of_absence.models.dyadic import MANTISSA, integers
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine
from proof_of_absence.models.reading import Reading

__all__ = ["Chain", "exact_array"]

# Rows multiplied at a time: generic weights are refused after the first few, without the whole product.
BLOCK = 16
# Maps in a row: the digits of their product grow with each.
MOST = 64

# z -> weights z + bias, or z -> factors z + bias entry by entry where there are no weights.
_Map: TypeAlias = "tuple[np.ndarray | list[Fraction], list[Fraction]]"
# A matrix of Python integers, and the number by which each is to be divided.
_Quotient: TypeAlias = tuple[np.ndarray, int]


class Chain:
    """The steps of a net so far.

    Parameters
    ----------
    source
        What messages call the net, its path as a rule.
    dtype
        ``float32`` or ``float64``, the source's type. A net with a product that only float64 holds is of float64.
    known_from
        As in `Reading`.

    Examples
    --------
    >>> chain = Chain("net", np.dtype("float32"))
    >>> chain.affine(np.array([[1.0, 2.0]]), np.array([0.5]), "first")
    >>> chain.affine(np.array([[3.0]]), np.array([1.0]), "second")
    >>> chain.net().layers[0]
    FloatAffine(weights=array([[3., 6.]]), bias=array([2.5]))
    """

    def __init__(self, source: object, dtype: np.dtype, known_from: str = "the graph"):
        self.source = source
        self.dtype = dtype
        self.known_from = known_from
        self.notes: list[str] = []
        self.cut = ""
        self._layers: list[FloatAffine] = []
        # The maps since the last ReLU, innermost first, and their names.
        self._maps: list[_Map] = []
        self._names: list[str] = []
        self._words: list[str] = []
        self._last = "the input"
        self._width: int | None = None

    def affine(self, weights: np.ndarray, bias: np.ndarray, name: str) -> None:
        """The map z -> weights z + bias, shapes (fan-out, fan-in) and (fan-out).

        Raises
        ------
        InputError
            If it does not fit what is below it, or an entry is NaN or infinite.
        """
        if self._width not in (None, weights.shape[1]):
            raise self._refused(f"{name} reads {weights.shape[1]} values, {self._last} gives {self._width}")
        self._finite(weights, name)
        self._finite(bias, name)
        self._append((weights, _fractions(bias)), name)
        self._step(f"{name} {weights.shape[1]} -> {len(bias)}", name, len(bias))

    def shift(self, constant: np.ndarray, name: str) -> None:
        """The map z -> z + constant, an array of the width of z.

        Raises
        ------
        InputError
            If an entry is NaN or infinite.
        """
        self._finite(constant, name)
        numbers = _fractions(constant)
        if self._maps:
            inner, bias = self._maps[-1]
            self._maps[-1] = inner, [b + c for b, c in zip(bias, numbers, strict=True)]
        else:
            self._append(([Fraction(1)] * len(numbers), numbers), name)
        self._step(name, name, len(numbers))

    def scale(self, factors: list[Fraction], name: str) -> None:
        """The map z -> factors z, entry by entry."""
        self._append((factors, [Fraction(0)] * len(factors)), name)
        self._step(name, name, len(factors))

    def normalise(
        self,
        mean: np.ndarray,
        variance: np.ndarray,
        epsilon: float,
        factor: np.ndarray,
        constant: np.ndarray,
        name: str,
    ) -> None:
        """The map z -> factor (z - mean) / sqrt(variance + epsilon) + constant, of batch normalisation in use.

        Raises
        ------
        InputError
            If a root is not rational, as nearly always, or an entry is NaN or infinite.
        """
        for values in (mean, variance, factor, constant):
            self._finite(values, name)
        roots = [_root(Fraction(v) + Fraction(epsilon)) for v in variance.tolist()]
        rational = [root for root in roots if root]
        if len(rational) < len(roots):
            raise self._refused(
                f"{name} divides by sqrt(variance + epsilon), which is no rational number for feature "
                f"{roots.index(None)}; fold it into the layer before it (torch.nn.utils.fusion.fuse_linear_bn_eval), "
                "and audit the net that comes of it"
            )
        self.shift(-mean, name)
        self.scale([Fraction(f) / root for f, root in zip(factor.tolist(), rational, strict=True)], name)
        self.shift(constant, name)

    def same(self, name: str, note: str = "") -> None:
        """An operator that changes no value over the reals; `note` says so where it is not plain."""
        self._words.append(name)
        if note and note not in self.notes:
            self.notes.append(note)

    def relu(self, name: str) -> None:
        """The map z -> max(z, 0); a second one in a row changes nothing.

        Raises
        ------
        InputError
            If it is the first step, or the product of the maps before it is no float64.
        """
        if self._maps:
            self._layers.append(self._layer())
        elif not self._layers:
            raise self._refused(f"{name} has no Gemm or MatMul between it and the input")
        self._step(name, name, self._width)

    def net(self) -> FloatNet:
        """The net; behind a ReLU at the end an output layer is put that changes nothing.

        Raises
        ------
        InputError
            If there is no step, the last product is no float64, or a layer is empty.
        """
        if self._maps:
            layers = [*self._layers, self._layer()]
        elif self._layers and self._width:
            layers = [*self._layers, FloatAffine(np.eye(self._width), np.zeros(self._width))]
            self.notes.append(
                "The net ends with ReLU: an output layer that changes nothing (the identity) is put behind."
            )
        else:
            raise self._refused("the net holds no Gemm or MatMul")
        activation = "ReLU" if len(layers) > 1 else "nothing: it is one affine map"
        reading = Reading(tuple(self._words), activation, self.known_from, tuple(self.notes), self.cut)
        try:
            return FloatNet(layers, self.dtype, reading)
        except ValueError as error:
            raise self._refused(error) from error

    def _append(self, one: _Map, name: str) -> None:
        if len(self._maps) == MOST:
            raise self._refused(f"{name} is one of more than {MOST} affine maps with no Relu between them")
        self._maps.append(one)
        self._names.append(name)

    def _step(self, words: str, last: str, width: int | None) -> None:
        if self._words[-1:] != [words]:
            self._words.append(words)
        self._last, self._width = last, width

    def _layer(self) -> FloatAffine:
        """The maps since the last ReLU as one layer; they are then forgotten."""
        names = " and ".join(dict.fromkeys([*self._names, self._last])) if len(self._maps) > 1 else self._last
        if len(self._maps) == 1 and isinstance(weights := self._maps[0][0], np.ndarray):
            bias = self._floats(((i,), b) for i, b in enumerate(self._maps[0][1]))
            layer = FloatAffine(weights, np.array(bias))
        else:
            blocks: list[np.ndarray] = []
            rows = len(self._maps[-1][1])
            inner = [_homogeneous(one) for one in self._maps]
            for start in range(0, rows, BLOCK):
                block, divisor = _rows(self._maps, inner, start, min(start + BLOCK, rows))
                entries = (
                    ((start + i, j) if j < block.shape[1] - 1 else (start + i,), Fraction(int(entry), divisor))
                    for (i, j), entry in np.ndenumerate(block)
                )
                blocks.append(np.array(self._floats(entries)).reshape(block.shape))
            whole = np.concatenate(blocks)
            layer = FloatAffine(whole[:, :-1], whole[:, -1])
            self.notes.append(f"Multiplied exactly into one layer: {names}.")
        self._widen(layer, names)
        self._maps, self._names = [], []
        return layer

    def _floats(self, entries: Iterable[tuple[tuple[int, ...], Fraction]]) -> list[float]:
        """The entries, each with its place: (row, column) of the weights, or (row) of the bias."""
        result = []
        for place, value in entries:
            near = _float(value)
            if near is None:
                kind = "weight" if len(place) == 2 else "bias"
                names = " and ".join(dict.fromkeys([*self._names, self._last]))
                raise self._refused(
                    f"{names} are affine with no Relu between them; {kind} {_text(place)} of their exact product "
                    f"{_why(value)}, which no float64 holds and this version does not carry; multiply them yourself "
                    "and save one layer, or apply them to the data"
                )
            result.append(near)
        return result

    def _widen(self, layer: FloatAffine, names: str) -> None:
        """Go over to float64 where float32 does not hold the layer."""
        with np.errstate(over="ignore"):
            if self.dtype == np.float64 or all((array.astype(self.dtype) == array).all() for array in layer):
                return
        self.notes.append(f"The product of {names} needs float64 to be exact: the net is taken as float64.")
        self.dtype = np.dtype(np.float64)

    def _finite(self, values: np.ndarray, name: str) -> None:
        if not np.isfinite(values).all():
            raise self._refused(f"{name} holds NaN or infinity")

    def _refused(self, reason: object) -> InputError:
        return refused(self.source, reason)


def exact_array(values: Iterable[Fraction], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The values as a float64 array, or None if one of them is no value of `dtype`."""
    result = [near for near in map(_float, values) if near is not None]
    if len(result) != int(np.prod(shape)):
        return None
    array = np.array(result, dtype=np.float64).reshape(shape)
    with np.errstate(over="ignore"):
        return array if (array.astype(dtype) == array).all() else None


def _float(value: Fraction) -> float | None:
    """The float64 that is the value, if there is one."""
    try:
        near = float(value)
    except OverflowError:
        return None
    return near if Fraction(near) == value else None


def _root(value: Fraction) -> Fraction | None:
    """The square root of a positive number, where it is rational."""
    if value <= 0:
        return None
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None


def _why(value: Fraction) -> str:
    below = value.denominator
    if below & (below - 1):
        return "is no binary fraction"
    digits = (abs(value.numerator) // (value.numerator & -value.numerator)).bit_length()
    return f"needs {digits} binary digits" if digits > MANTISSA else "is too large or too small"


def _text(place: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, place))})"


def _fractions(array: np.ndarray) -> list[Fraction]:
    return list(map(Fraction, array.tolist()))


def _homogeneous(one: _Map) -> _Quotient:
    """(W b) with a row (0 1) below, or the factors and the bias as two rows, over one divisor."""
    inner, bias = one
    if isinstance(inner, np.ndarray):
        numbers, exponent = integers(inner)
        divisor = lcm(2 ** max(0, -exponent), *(b.denominator for b in bias))
        scale = divisor * Fraction(2) ** exponent
        below = np.array([[0] * inner.shape[1] + [divisor]], dtype=object)
        right = np.array([int(b * divisor) for b in bias], dtype=object)
        return np.vstack([np.column_stack([numbers * int(scale), right]), below]), divisor
    divisor = lcm(*(number.denominator for number in (*inner, *bias)))
    return np.array([[int(number * divisor) for number in row] for row in (inner, bias)], dtype=object), divisor


def _rows(maps: list[_Map], numbers: list[_Quotient], start: int, stop: int) -> _Quotient:
    """Rows of the product of all maps: the weights, and in the last column the bias."""
    width = len(maps[-1][1])
    # Rows of the identity, and 0 for the bias.
    block: np.ndarray = np.zeros((stop - start, width + 1), dtype=object)
    block[np.arange(stop - start), np.arange(start, stop)] = 1
    divisor, outermost = 1, True
    for (inner, _), (matrix, below) in zip(reversed(maps), reversed(numbers), strict=True):
        if not isinstance(inner, np.ndarray):
            factors, shifts = matrix
            block = np.column_stack([block[:, :-1] * factors, block[:, :-1] @ shifts + block[:, -1] * below])
        elif outermost:
            block = matrix[start:stop]
        else:
            product = _flint(block) * _flint(matrix)
            block = np.array(list(map(int, product.entries())), dtype=object).reshape(len(block), -1)
        divisor, outermost = divisor * below, False
    return block, divisor


def _flint(matrix: np.ndarray) -> fmpz_mat:
    rows, columns = matrix.shape
    return fmpz_mat(rows, columns, matrix.ravel().tolist())
