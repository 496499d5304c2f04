"""C21 readout price: what it costs in training to move the answer at one input by the output layer alone.

It needs no idle circuit and no P1, and it is free just where the input's features are outside the row space.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from itertools import combinations

import sympy

from proof_of_absence.checker.construct.rank import features
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, dot, eq, lt, mul, square, sub
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, ZIGZAG
from proof_of_absence.proofs.c19_analytical import LAST_HOUR, PENALTY
from proof_of_absence.proofs.examples import SQUARE
from proof_of_absence.proofs.readout_moves import (
    HOURS,
    IN_THE_PLANE,
    MOVES,
    ON_THE_LINE,
    at_minimiser,
    by_hour,
    cheaper,
    free_in_row_space,
    free_without_idle,
    planted,
    priced,
    ridge_moves,
)
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import enumerated, listed

Input = tuple[int, ...]

# Sizes of the symbolic identities: examples and features.
EXAMPLES, FEATURE_COUNT = 3, 2
# The queries: inputs, hidden units, and the input whose answer moves.
ON_A_LINE = (LINE_INPUTS, shallow([([1], -2, [0])], [0]), (6,))
FIVE_INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 1))
IN_A_PLANE = (FIVE_INPUTS, shallow([([1, 0], 0, [0]), ([1, 1], -1, [0])], [0]), (3, 0))
HALF = Fraction(1, 2)


def _expansion() -> Evidence:
    """J(a) as a polynomial in everything: the value at a0, a term that vanishes with the normal equations, the form."""
    phi, y, penalties, a, b = _unknowns()
    cross = phi.T * (phi * a - y) + sympy.diag(*penalties) * a
    form = (b - a).T * _gram(phi, penalties) * (b - a)
    return identity(_cost(phi, y, penalties, b), _cost(phi, y, penalties, a) + (2 * (b - a).T * cross + form)[0])


def _lagrange() -> Evidence:
    """h times the form less the squared move is a sum of squares, each times products of penalties, by Lagrange."""
    phi, _, penalties, u, b = _unknowns()
    gram = _gram(phi, penalties)
    left = (u.T * gram * u)[0] * (b.T * gram * b)[0] - (u.T * gram * b)[0] ** 2
    # Each of the vectors that the form is a sum of squares of, and its weight.
    terms = [*((1, phi.row(i)) for i in range(EXAMPLES)),
             *((penalties[j], sympy.eye(FEATURE_COUNT).row(j)) for j in range(FEATURE_COUNT))]  # fmt: skip
    right = sum(
        k * s * ((v * u)[0] * (w * b)[0] - (w * u)[0] * (v * b)[0]) ** 2 for (k, v), (s, w) in combinations(terms, 2)
    )
    return identity(left, right)


def _unknowns() -> tuple[sympy.Matrix, sympy.Matrix, list[sympy.Symbol], sympy.Matrix, sympy.Matrix]:
    """Features, targets, penalties, and two vectors of weights, all unknown."""
    phi = sympy.Matrix(EXAMPLES, FEATURE_COUNT, lambda i, j: sympy.Symbol(f"phi_{i}_{j}"))
    y = sympy.Matrix(EXAMPLES, 1, lambda i, _: sympy.Symbol(f"y_{i}"))
    penalties = [sympy.Symbol(f"l_{j}") for j in range(FEATURE_COUNT)]
    a, b = (sympy.Matrix(FEATURE_COUNT, 1, lambda j, _, name=name: sympy.Symbol(f"{name}_{j}")) for name in "ab")
    return phi, y, penalties, a, b


def _gram(phi: sympy.Matrix, penalties: Sequence[sympy.Symbol]) -> sympy.Matrix:
    return phi.T * phi + sympy.diag(*penalties)


def _cost(phi: sympy.Matrix, y: sympy.Matrix, penalties: Sequence[sympy.Symbol], a: sympy.Matrix) -> sympy.Expr:
    residuals = phi * a - y
    return (residuals.T * residuals)[0] + sum(k * weight**2 for k, weight in zip(penalties, a, strict=True))


def bound(
    inputs: Sequence[Input], hidden: MLP, point: Input, share: Fraction | int = 1, *, minimal: bool = True
) -> Query:
    """Two output layers on given features, the first of least loss: the second moves the answer by more than allowed.

    All targets and both output layers are unknown: they are given by the first, its residuals r and the step to the
    second. Allowed is, squared, `share` times the leverage times the difference of their summed losses.
    """
    script = Script("QF_NRA", f"Output layers on the features of {inputs}: all weights and targets unknown")
    table, (there,) = features(hidden, inputs), features(hidden, [point])
    best, step = (script.reals(name, len(there)) for name in ("a", "step"))
    residuals = script.reals("r", len(inputs))
    other = [script.define(f"b_{j}", add(a, s)) for j, (a, s) in enumerate(zip(best, step, strict=True))]
    if minimal:
        for column in zip(*table, strict=True):
            script.premise(eq(dot(column, residuals), 0))
    errors = []
    for i, (r, row) in enumerate(zip(residuals, table, strict=True)):
        y = script.define(f"y_{i}", add(dot(best, row), r))
        errors.append(square(sub(dot(other, row), y)))
    rise = script.define("rise", sub(add(*errors), add(*map(square, residuals))))
    move = script.define("move", sub(dot(other, there), dot(best, there)))
    height = priced(hidden, inputs, point).value
    script.decide("claim_fails", lt(mul(share * height, rise), square(move)))
    return Query(script)


CLAIM = Claim(
    id="C21",
    title="Readout price",
    statement=r"Fix features with a constant among them, $\Phi$ their values in training, $\varphi$ those at an input "
    r"$x$, and let $J(a)=\sum_i|\Phi_ia-y_i|^2+\sum_jl_j|a_j|^2$, $l_j\geq0$, $M=\Phi^T\Phi+\mathrm{diag}(l)$, "
    r"$f_a(x)=\varphi a$, $a^*$ a minimiser. "
    r"(i) $J(a)=J(a^*)+\mathrm{tr}\,(a-a^*)^TM(a-a^*)$ for all $a$. "
    r"(ii) If $Mu=\varphi$, let $h=u\cdot\varphi$, the leverage of $x$. It is positive and does not depend on $u$, and "
    r"$|f_a(x)-f_{a^*}(x)|^2\leq h\,(J(a)-J(a^*))$ for all $a$; for every $w$ there is equality at $a^*+uw^T/h$, "
    r"whose answer at $x$ is moved by $w$. So with $l=0$ this move costs $|w|^2/(Nh)$ in $L$, and no less. "
    r"(iii) There is such a $u$ iff $\varphi$ is in the row space of $M$; for $l=0$ that is the row space of $\Phi$, "
    r"and if all $l_j>0$ it is everything. Elsewhere every move of the answer is free: no cost and no training output "
    r"changes. (iv) With $l=0$ an input at which a train-idle circuit fires is outside the row space; none is if the "
    r"features have full rank. (v) So on fixed features, by least squares or ridge, whoever is within $\varepsilon$ of "
    r"the least $J$ deviates from the minimiser at $x$ by $|\cdot|^2\leq\varepsilon h$. (vi) At a minimiser of $S_n$ "
    r"above the noise floor every $x$ has a leverage, and for every $w$ a net of $S_n$ moves the answer there by $w$ "
    r"at $|w|^2/(Nh)$ in $L$. A training input whose features occur $k$ times has $kh\leq1$; every input has $Nh\geq1$ "
    r"($l=0$).",
    premises=(
        "a* minimises J for its features; for the bounds the features do not change",
        "squared loss; penalties of 0 or more, the same for all outputs",
        "for (vi): a minimiser of S_n above the noise floor, or under P1",
    ),
    proof=r"$a^*$ is a minimiser iff $Ma^*=\Phi^TY$: else a small step along $\Phi^TY-Ma^*$ lowers $J$. Expand $J$ at "
    r"$a^*$; the cross term is then $0$, which is (i). For (ii) let $B=a-a^*$ and $w=\varphi B$. As $M$ is symmetric "
    r"and not negative, $0\leq\mathrm{tr}\,(hB-uw^T)^TM(hB-uw^T)=h\,(h\,\mathrm{tr}\,B^TMB-|w|^2)$. If $h=0$ then "
    r"$\Phi u=0$ and $l_ju_j=0$, so that $\varphi=Mu=0$, which has no constant. Equality: "
    r"$\mathrm{tr}\,(uw^T)^TM(uw^T)=h|w|^2$. For (iii), outside the row space some $b$ has $Mb=0$ and $\varphi b=1$; "
    r"then $b^TMb=0$, so $\Phi b=0$ and $l_jb_j^2=0$, and $a+bw^T$ has the cost and the training outputs of $a$. For "
    r"$l=0$, $Mb=0$ iff $\Phi b=0$, so both row spaces are the same. (iv) Let $J$ send $v$ in training and $v'\neq v$ "
    r"at $x$, and $v_k\neq v'_k$: take the output weights of $J$ in coordinate $k$ for the units and $-v_k$ for the "
    r"constant. Full rank is \claim{C9} at minimisers. (v) is (ii). (vi) A minimiser of $S_n$ has the least loss of "
    r"its features, which have full rank by \claim{C9}, and moving the output layer stays in $S_n$. The two bounds on "
    r"$h$ are (ii) for $B=u$ and for a change of the constant.",
    limits="Universal, for any features and number of outputs; no premise of separability or P1. The price is that of "
    "a move by the output layer. A net with other features may move the answer for less, at a minimiser of S_n for "
    "nothing (C21.control-other-features): of the price of any defection (vi) is a bound from above only. Leverage "
    "measures how little the data say about an input. It finds no detector, and where no circuit is idle a move may be "
    "free all the same (C21.control-no-idle).",
    rests_on=("C9",),
    obligations=(
        universal(
            "For all p, m, N, features and penalties of 0 or more: the expansion at a minimiser, the bound by the "
            "leverage, which is attained, and free moves just outside the row space",
            "c21_leverage",
            "C21_normal",
            "C21_expansion",
            "C21_bound",
            "C21_attained",
            "C21_unique",
            "C21_gt0",
            "C21_dichotomy",
            "C21_free",
            "C21_row_space",
            "C21_penalised",
            "C21_constant",
            "C21_repeated",
        ),
        universal(
            "For all d, n, m, N: nets of the same features as one of least loss deviate from it as the leverage and "
            "the loss allow; free where an idle circuit fires, never at full rank; so at minimisers of S_n every "
            "input has a price; and the bound for ridge with a free intercept",
            "c21_readout_price",
            "C21_near",
            "C21_price",
            "C21_no_row_space",
            "C21_idle",
            "C21_full_rank",
            "C21_minimiser",
            "C21_ridge",
            name="universal-nets",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as the leverage of an input, "
            "or as an input whose features are outside the row space of those in training, is that",
            "check_rank",
            *("C21_check_lever", "C21_check_free"),
            name="universal-checker",
        ),
        universal(
            "And what it accepts as a net of least cost, and as what bounds the move of an answer, is that",
            "check_readout",
            "C21_check_readout_price",
            name="universal-checker-price",
        ),
        universal(
            "A checker of audits, in integers: what it accepts as leverages on a hidden layer of a net of any depth, "
            "or as bounds of them by a factor that nearly turns the normal matrix to a multiple of the identity, and "
            "as bounds of the prices t^2/(N h) that follow, is so",
            "check_prices",
            *("C21_check_lever_at", "C21_check_near", "C21_check_bounds", "C21_check_dear"),
            name="universal-checker-audits",
        ),
        Obligation(
            "C21.expansion",
            f"N={EXAMPLES}, p={FEATURE_COUNT}, m=1, everything unknown: J(a) is J(a_0), the form at a - a_0, and twice "
            "a - a_0 times what the normal equations make 0; an identity of polynomials",
            Scope.BOUNDED,
            _expansion,
        ),
        Obligation(
            "C21.squares",
            f"N={EXAMPLES}, p={FEATURE_COUNT}, features, penalties, u and b unknown: u'Mu b'Mb - (u'Mb)^2 is a sum of "
            "squares times products of penalties, so the bound holds; an identity of polynomials",
            Scope.BOUNDED,
            _lagrange,
        ),
        *(
            Obligation(
                f"C21.{name}",
                f"n={hidden.widths[1]}, m=1, given hidden units, all targets and output layers on the inputs "
                f"{listed(inputs)}: whoever has the features of the least squares solution deviates from it at "
                f"{listed([point])} by no more than its leverage and the loss allow",
                Scope.BOUNDED,
                partial(bound, inputs, hidden, point),
            )
            for name, (inputs, hidden, point) in (("line", ON_A_LINE), ("plane", IN_A_PLANE))
        ),
        *(
            Obligation(
                f"C21.minimiser-{name}",
                f"n={units}, {len(data)} inputs {where}: at a certified minimiser above the noise floor nets of the "
                f"class move the answer at {listed(points)} by {enumerated(MOVES)}, each at its price exactly",
                Scope.INSTANCE,
                partial(at_minimiser, data, units, points),
            )
            for name, data, units, points, where in (
                ("line", ZIGZAG, 2, ON_THE_LINE, "on the line"),
                ("plane", SQUARE, 2, IN_THE_PLANE, "in the plane"),
            )
        ),
        Obligation(
            "C21.planted",
            f"The deceptive net in the world: at hour {LAST_HOUR} its detector fires, and another answer there is "
            "free: a net of the same training outputs gives it",
            Scope.INSTANCE,
            planted,
        ),
        Obligation(
            "C21.by-hour",
            "Least squares on the imitator's features and the clock, the world's training data: the leverage of one "
            f"input at the hours {enumerated(HOURS)}, the first of training, exactly; it grows, and the moves at the "
            "last are at their price",
            Scope.INSTANCE,
            by_hour,
        ),
        Obligation(
            "C21.ridge",
            f"Ridge of penalty {PENALTY} on the deceptive net's features: where its detector fires a move has a price, "
            "which is attained, and the bound holds for a net of twice the penalty that is moved there",
            Scope.INSTANCE,
            ridge_moves,
        ),
        Obligation(
            "C21.control-half",
            f"The same as C21.line with {HALF} of the leverage",
            Scope.BOUNDED,
            partial(bound, *ON_A_LINE, HALF),
            Verdict.REFUTED,
        ),
        Obligation(
            "C21.control-not-least",
            "The same as C21.line for any two output layers, of which none need be of least loss",
            Scope.BOUNDED,
            partial(bound, *ON_A_LINE, minimal=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C21.control-row-space",
            f"At the minimiser of C21.minimiser-line some move of the answer at {listed(ON_THE_LINE[:1])} is free",
            Scope.INSTANCE,
            free_in_row_space,
            Verdict.REFUTED,
        ),
        Obligation(
            "C21.control-no-idle",
            "Where no circuit of a net is idle, no move is free: the world's deployment detector entwined with useful "
            "units (C9.world)",
            Scope.INSTANCE,
            free_without_idle,
            Verdict.REFUTED,
        ),
        Obligation(
            "C21.control-other-features",
            "At a minimiser of S_n no net of S_n moves an answer for less than the readout price: the two minimisers "
            "of N1.one-unit",
            Scope.INSTANCE,
            cheaper,
            Verdict.REFUTED,
        ),
    ),
)
