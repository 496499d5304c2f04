"""The rank of [1 | phi_1 .. phi_n], the features of a hidden layer on the inputs, by a minor or a dependency."""

from fractions import Fraction
from math import isqrt

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, dot, numbers, rows

# Trial division up to the root is fast, and primes of this size suffice.
LARGEST_PRIME = 2**32


def full_rank(fact: Fact) -> None:
    """[1 | phi_1 .. phi_n] has full column rank on the inputs: its minor on the listed rows is not 0 modulo the prime.

    A nonzero minor of residues is the residue of a nonzero minor, if no denominator is a multiple of the prime.
    """
    net, inputs, prime, chosen = Net(fact["net"]), rows(fact["inputs"]), fact["prime"], fact["rows"]
    layer = _hidden_layer(net, fact["layer"])
    require(is_prime(prime), "the modulus is not a prime")
    require(isinstance(chosen, list) and all(type(i) is int for i in chosen), "the rows are not named")
    require(all(0 <= i < len(inputs) for i in chosen), "a row is no input's")
    require(len(chosen) == net.widths[layer] + 1, "the minor needs one row more than there are units")
    minor = [[_residue(value, prime) for value in _features(net, layer, inputs[i])] for i in chosen]
    require(_is_invertible(minor, prime), "the minor is 0 modulo the prime")


def dependency(fact: Fact) -> None:
    """v_0 + sum_j v_j phi_j is 0 at every input, and not all coefficients are 0."""
    net, inputs, coefficients = Net(fact["net"]), rows(fact["inputs"]), numbers(fact["coefficients"])
    layer = _hidden_layer(net, fact["layer"])
    require(len(coefficients) == net.widths[layer] + 1, "there is not one coefficient for each column")
    require(any(coefficients), "all coefficients are 0")
    for z in inputs:
        require(not dot(coefficients, _features(net, layer, z)), f"not 0 at {[str(v) for v in z]}")


def _hidden_layer(net: Net, layer: object) -> int:
    if not (type(layer) is int and 1 <= layer < len(net.layers)):
        raise Refused("no such hidden layer")
    return layer


def _features(net: Net, layer: int, z: list[Fraction]) -> list[Fraction]:
    return [Fraction(1), *net.values(z)[layer]]


def is_prime(number: object) -> bool:
    """Whether it is an integer, and a prime below LARGEST_PRIME."""
    if not (type(number) is int and 2 <= number < LARGEST_PRIME):
        return False
    return all(number % k for k in range(2, isqrt(number) + 1))


def _residue(value: Fraction, prime: int) -> int:
    if value.denominator % prime == 0:
        raise Refused("a denominator is a multiple of the prime")
    return value.numerator * pow(value.denominator, -1, prime) % prime


def _is_invertible(matrix: list[list[int]], prime: int) -> bool:
    """Whether a square matrix over the field of the prime is invertible, by Gaussian elimination."""
    matrix = [list(row) for row in matrix]
    for k in range(len(matrix)):
        pivot = next((i for i in range(k, len(matrix)) if matrix[i][k]), None)
        if pivot is None:
            return False
        matrix[k], matrix[pivot] = matrix[pivot], matrix[k]
        inverse = pow(matrix[k][k], -1, prime)
        for row in matrix[k + 1 :]:
            factor = row[k] * inverse % prime
            if factor:
                row[k:] = [(a - factor * b) % prime for a, b in zip(row[k:], matrix[k][k:], strict=True)]
    return True


KINDS = {
    "dependency": dependency,
    "full-rank": full_rank,
}
