"""A FloatNet built step by step, as a file lists its operators: affine maps, constants added, ReLU.

Affine maps with no ReLU between them are multiplied exactly; what the weights' type cannot hold is refused.
"""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine

__all__ = ["Chain", "exact_array"]

# Rows multiplied at a time: generic weights are refused after the first few, without the whole product.
BLOCK = 16


class Chain:
    """The steps of a net so far.

    Parameters
    ----------
    source
        What messages call the net, its path as a rule.
    dtype
        ``float32`` or ``float64``; each result must be a value of it.

    Examples
    --------
    >>> chain = Chain("net", np.dtype("float32"))
    >>> chain.affine(np.array([[1.0, 2.0]]), np.array([0.5]), "first")
    >>> chain.affine(np.array([[3.0]]), np.array([1.0]), "second")
    >>> chain.net().layers[0]
    FloatAffine(weights=array([[3., 6.]]), bias=array([2.5]))
    """

    def __init__(self, source: object, dtype: np.dtype):
        self.source = source
        self.dtype = dtype
        self._layers: list[FloatAffine] = []
        # The map since the last ReLU: z -> weights z + bias; weights None is the identity, bias None no map at all.
        self._weights: np.ndarray | None = None
        self._bias: np.ndarray | None = None
        self._last = "the input"
        self._width: int | None = None

    def affine(self, weights: np.ndarray, bias: np.ndarray, name: str) -> None:
        """The map z -> weights z + bias, shapes (fan-out, fan-in) and (fan-out).

        Raises
        ------
        InputError
            If it does not fit what is below it, an entry is NaN or infinite, or an exact product is no value of
            `dtype`.
        """
        if self._width not in (None, weights.shape[1]):
            raise self._refused(f"{name} reads {weights.shape[1]} values, {self._last} gives {self._width}")
        self._finite(weights, name)
        self._finite(bias, name)
        if self._bias is not None:
            product = _product(weights, bias, self._weights, self._bias, self.dtype)
            if product is None:
                raise self._refused(
                    f"{self._last} and {name} are affine with no Relu between them, and their product is not exact in "
                    f"{self.dtype}; multiply them yourself and save one layer"
                )
            weights, bias = product
        self._weights, self._bias, self._last, self._width = weights, bias, name, len(bias)

    def shift(self, constant: np.ndarray, name: str) -> None:
        """The map z -> z + constant, an array of the width of z.

        Raises
        ------
        InputError
            If an entry is NaN or infinite, or an exact sum is no value of `dtype`.
        """
        self._finite(constant, name)
        if self._bias is None or not self._bias.any():
            self._bias = constant
        elif constant.any():
            pairs = zip(self._bias.tolist(), constant.tolist(), strict=True)
            total = exact_array((Fraction(b) + Fraction(c) for b, c in pairs), constant.shape, self.dtype)
            if total is None:
                raise self._refused(
                    f"the constants added by {self._last} and {name} have a sum that is no {self.dtype}"
                )
            self._bias = total
        self._last, self._width = name, len(constant)

    def relu(self, name: str) -> None:
        """The map z -> max(z, 0); a second one in a row changes nothing.

        Raises
        ------
        InputError
            If no affine map with weights stands between it and the ReLU or the input before it.
        """
        if self._weights is None or self._bias is None:
            if self._layers and self._bias is None:
                return
            raise self._refused(
                f"{name} has no Gemm or MatMul between it and the {'last Relu' if self._layers else 'input'}"
            )
        self._layers.append(FloatAffine(self._weights, self._bias))
        self._weights, self._bias, self._last = None, None, name

    def net(self) -> FloatNet:
        """The net, which ends with an affine map.

        Raises
        ------
        InputError
            If it does not, or a layer is empty.
        """
        if self._weights is None or self._bias is None:
            raise self._refused(
                "the net ends with Relu; append the affine output layer, or a Gemm with the identity matrix"
                if self._layers
                else "the net holds no Gemm or MatMul"
            )
        try:
            return FloatNet((*self._layers, FloatAffine(self._weights, self._bias)), self.dtype)
        except ValueError as error:
            raise self._refused(error) from error

    def _finite(self, values: np.ndarray, name: str) -> None:
        if not np.isfinite(values).all():
            raise self._refused(f"{name} holds NaN or infinity")

    def _refused(self, reason: object) -> InputError:
        return refused(self.source, reason)


def exact_array(values: Iterable[Fraction], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The values as a float64 array, or None if one of them is no value of `dtype`."""
    result = []
    for value in values:
        try:
            rounded = float(value)
        except OverflowError:
            return None
        if Fraction(rounded) != value:
            return None
        result.append(rounded)
    array = np.array(result, dtype=np.float64).reshape(shape)
    with np.errstate(over="ignore"):
        return array if (array.astype(dtype) == array).all() else None


def _product(
    weights: np.ndarray, bias: np.ndarray, inner_weights: np.ndarray | None, inner_bias: np.ndarray, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray] | None:
    """weights (inner_weights z + inner_bias) + bias as one affine map, or None if it is no `dtype`."""
    columns = inner_bias[:, np.newaxis]
    if inner_weights is not None:
        columns = np.hstack([inner_weights, columns])
    # One more row carries the outer bias along: (W b) ((V c) (0 1)).
    carry = np.zeros((1, columns.shape[1]))
    carry[0, -1] = 1
    right, right_exponent = _integers(np.vstack([columns, carry]))
    rows = np.column_stack([weights, bias])
    blocks: list[np.ndarray] = []
    for start in range(0, len(rows), BLOCK):
        left, left_exponent = _integers(rows[start : start + BLOCK])
        unit = Fraction(2) ** (left_exponent + right_exponent)
        entries = (int(entry) * unit for entry in (left * right).entries())
        block = exact_array(entries, (-1, columns.shape[1]), dtype)
        if block is None:
            return None
        blocks.append(block)
    result = np.concatenate(blocks)
    return (weights if inner_weights is None else result[:, :-1]), result[:, -1]


def _integers(array: np.ndarray) -> tuple[fmpz_mat, int]:
    """A matrix of integers M and e with `array` = M 2^e."""
    numbers, exponent = integers(array)
    rows, columns = array.shape
    return fmpz_mat(rows, columns, numbers.ravel().tolist()), exponent
