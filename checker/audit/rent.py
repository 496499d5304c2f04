"""C13 for every hidden unit at once: what the loss would rise without it,
and what another unit in its place would gain.

One pass collects inner products of features, residuals and trial units; the rest is small arithmetic on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import Enclosure, Replacement, UnitFinding
from proof_of_absence.checker.construct.search import candidates
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.numbers.rounding import UP, gamma
from proof_of_absence.checker.passes.enclosure import enclose, weights_of
from proof_of_absence.checker.passes.residuals import ENTRIES, Block, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, nearest_floats

__all__ = ["Rents", "rents"]

# Trial units are chosen on this many rows; their gains are then taken on all.
SAMPLE = 4096
TRIALS = 12
SEED = 20261124
# More than what a norm loses when squares underflow, for up to 2^40 rows.
LOST = 2.0**-490


def rents(
    net: FloatNet, inputs: np.ndarray, targets: np.ndarray, units: Sequence[UnitFinding]
) -> tuple[UnitFinding, ...]:
    """The units of the last hidden layer with `rent` and `replacement_gain` filled in, in one pass.

    Unchanged on overflow.

    The rent of unit j is the least loss of the net with a_j relu(w_j . z + b_j) replaced by a constant, less the loss.
    The replacement gain is by how much one more unit, with its best output weights and output bias, lowers the loss of
    that net without j; the best of `TRIALS` units is taken, so another may gain more. By C13 a minimiser's units pay
    at least that: a unit whose rent is certainly less shows that the net is no minimiser. C13 is about shallow nets;
    in a deeper one it speaks of the last two layers, whose inputs z are the values of the layer below, so of other
    layers' units nothing is said.

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m), float64, finite.
    """
    if len(net.layers) < 2:
        return tuple(units)
    passed = Rents(net, inputs, targets)
    try:
        evaluate(net, inputs, targets, passed)
    except OverflowError:
        return tuple(units)
    return passed.findings(units)


@dataclass(eq=False)
class _Columns:
    """Columns x known to within vectors e: |x|^2 so far as computed, and |e|^2 at most."""

    squares: np.ndarray
    errors: np.ndarray

    def norms(self, slack: float) -> tuple[np.ndarray, np.ndarray]:
        """Upper bounds of |x| (as computed) and of |e|."""
        return np.sqrt(self.squares / (1 - slack)) * UP + LOST, np.sqrt(self.errors) * UP + LOST


class Rents:
    """A visitor of `evaluate` on a net with a hidden layer, the last of which it looks at,
    that collects what `rents` needs.

    Notes
    -----
    Let x' and y' be computed columns with |x - x'| <= e and |y - y'| <= f entry by entry. Their inner product, in
    blocks of B rows and C of them, is |x'.y' - fl| <= gamma_(B + C) |x'| |y'| off, and |x.y - x'.y'| <= |x'|
    |f| + |e| |y'| + |e| |f| in norms.
    """

    def __init__(self, net: FloatNet, inputs: np.ndarray, targets: np.ndarray):
        self._net, self._inputs = net, inputs
        self._trials = _trials(net, inputs, targets)
        hidden, outputs = net.widths[-2:]
        trials = self._trials.widths[-1] if self._trials else 0
        self._right = 1 + outputs + trials
        self._phi = _Columns(np.zeros(hidden), np.zeros(hidden))
        self._cols = _Columns(np.zeros(self._right), np.zeros(self._right))
        # Features against [1 | residuals | trials], and those against each other.
        self._cross = np.zeros((hidden, self._right))
        self._gram = np.zeros((self._right, self._right))
        self._rows, self._blocks, self._longest = 0, 0, 0

    def __call__(self, block: Block) -> None:
        """Take in one block."""
        with np.errstate(all="ignore"):
            features = np.maximum(block.balls[-2].values, 0)
            columns = [np.ones((len(features), 1)), block.residuals]
            radii = [np.zeros((len(features), 1)), block.radius]
            if self._trials is not None:
                ball = enclose(self._trials, self._inputs[block.rows])[-1]
                columns.append(np.maximum(ball.values, 0))
                radii.append(ball.radius)
            right, radius = np.hstack(columns), np.hstack(radii)
            self._cross += features.T @ right
            self._gram += right.T @ right
            self._cols.squares += np.einsum("ij,ij->j", right, right)
            self._cols.errors = (self._cols.errors + np.einsum("ij,ij->j", radius, radius)) * UP
            self._phi.squares += np.einsum("ij,ij->j", features, features)
            # |row_i unit_j + tiny|^2 <= 2 row_i^2 unit_j^2 + 2 tiny^2, summed over the rows.
            below = block.balls[-2]
            if not below.is_exact:
                spread = float(below.row @ below.row) * below.unit**2 + len(features) * (below.tiny + LOST) ** 2
                self._phi.errors = (self._phi.errors + 2 * spread * UP) * UP
        self._rows += len(features)
        self._blocks += 1
        self._longest = max(self._longest, len(features))

    def _trial(self, place: int) -> Replacement:
        """The weights and the bias of a trial unit."""
        hidden = nearest_floats(self._trials.layers[-1])
        return tuple(map(Fraction, hidden.weights[place].tolist())), Fraction(float(hidden.bias[place]))

    def findings(self, units: Sequence[UnitFinding]) -> tuple[UnitFinding, ...]:
        """The units with their rents and replacement gains, where these are known to within a finite bound."""
        rents, gains, best = self._solve()
        result = []
        # Many units have one trial unit in their place.
        trials: dict[int, Replacement] = {}
        for finding in units:
            if finding.unit.layer != len(self._net.layers) - 1:
                result.append(finding)
                continue
            j = finding.unit.index
            gain = _enclosure(gains, j) if gains is not None else None
            chosen = None
            if gain is not None:
                # It is a square: where the bound is below 0, that says nothing.
                gain = Enclosure(max(gain.low, Fraction(0)), gain.high)
                trial = int(best[j])
                if trial not in trials:
                    trials[trial] = self._trial(trial)
                chosen = trials[trial]
            result.append(replace(finding, rent=_enclosure(rents, j), replacement_gain=gain, replacement=chosen))
        return tuple(result)

    def _solve(self) -> tuple[Interval, Interval | None, np.ndarray]:
        """Rents and gains (n) with the trial that gains most; all sums divided by N at the end."""
        outputs = self._net.widths[-1]
        slack = gamma(self._longest + self._blocks + 2)
        with np.errstate(all="ignore"):
            phi, phi_error = self._phi.norms(slack)
            col, col_error = self._cols.norms(slack)

            def inner(value, x, e, y, f):
                error = slack * np.outer(x, y) + np.outer(x, f) + np.outer(e, y) + np.outer(e, f)
                return Interval(value, (error + LOST**2) * UP)

            cross = inner(self._cross, phi, phi_error, col, col_error)
            gram = inner(self._gram, col, col_error, col, col_error)
            square = Interval(self._phi.squares, (slack * phi**2 + (2 * phi + phi_error) * phi_error + LOST**2) * UP)
            rows = Interval.of(float(self._rows))
            outgoing = weights_of(self._net.layers[-1])
            sums, weights = cross[:, :1], Interval(outgoing.value.T, outgoing.error.T)
            # r_k + a_jk phi_j, for every unit and output: its sum, and by how much its square exceeds that of r_k.
            residual = slice(1, 1 + outputs)
            without = gram[:1, residual] + weights * sums
            growth = weights * (cross[:, residual] + cross[:, residual] + weights * square[:, None])
            rents = (growth - without * without / rows).sum(axis=1) / rows
            gains, best = None, np.zeros(len(phi), dtype=int)
            for t in range(self._right - 1 - outputs):
                at = 1 + outputs + t
                norm = gram[at, at] - gram[0, at] * gram[0, at] / rows
                if not norm.value - norm.error > 0:
                    continue
                product = gram[residual, at][None] + weights * cross[:, at][:, None] - without * gram[0, at] / rows
                gain = (product * product).sum(axis=1) / norm / rows
                if gains is None:
                    gains, best[:] = gain, t
                else:
                    better = gain.low > gains.low
                    gains = gains.where(~better, gain)
                    best[better] = t
        return rents, gains, best


def _enclosure(values: Interval, j: int) -> Enclosure | None:
    value, error = float(values.value[j]), float(values.error[j])
    if not (np.isfinite(value) and np.isfinite(error)):
        return None
    return Enclosure(Fraction(value) - Fraction(error), Fraction(value) + Fraction(error))


def _trials(net: FloatNet, inputs: np.ndarray, targets: np.ndarray) -> FloatNet | None:
    """Units chosen by their gain on some of the rows, in one block, as the last layer of a net."""
    size = min(SAMPLE, ENTRIES // max(net.widths))
    rows = np.sort(np.random.default_rng(SEED).permutation(len(inputs))[:size])
    balls = enclose(net, inputs[rows])
    with np.errstate(all="ignore"):
        residuals = targets[rows] - balls[-1].values
    features = inputs[rows] if len(balls) == 2 else np.maximum(balls[-3].values, 0)
    if not (np.isfinite(residuals).all() and np.isfinite(features).all()):
        return None
    found = candidates(features, residuals, net.dtype, keep=TRIALS)
    if not found:
        return None
    hidden = FloatAffine(np.array([c.weights for c in found]), np.array([c.bias for c in found]))
    return FloatNet((*net.layers[:-2], hidden))
