"""C4 separating unit. Where group residual sums are not all zero,
some hidden unit has a nonzero inner product with the residuals.
"""

from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise
from math import comb

from proof_of_absence.checker.construct.separating_unit import residual_sums, separating_unit
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, dot, eq, lt, mul, sub
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import DECEPTIVE, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import LINE, LINE_NET, PLANE, PLANE_NET
from proof_of_absence.proofs.universal import universal

POINTS = 4


def _line() -> Query:
    """One of the thresholds between neighbours separates: all inputs on the line and all residuals unknown."""
    script = Script("QF_NRA", f"{POINTS} inputs u_0 < u_1 < ... on the line, residual sums r_i not all zero")
    u, r = script.reals("u", POINTS), script.reals("r", POINTS)
    script.premise(all_of(lt(a, b) for a, b in pairwise(u)))
    script.premise(any_of(distinct(x, 0) for x in r))
    thresholds = [sub(u[0], 1), *(mul(Fraction(1, 2), add(a, b)) for a, b in pairwise(u))]
    inner = [dot(r, [f"(relu {sub(x, t)})" for x in u]) for t in thresholds]
    script.decide("claim_fails", all_of(eq(s, 0) for s in inner))
    return Query(script)


def _directions(count: int, dimension: int) -> list[list[int]]:
    """The first (d-1) G (G-1)/2 + 1 directions (1, t, t^2, ..)."""
    return [[t**k for k in range(dimension)] for t in range((dimension - 1) * comb(count, 2) + 1)]


def _direction(count: int, dimension: int) -> Query:
    """One of these directions gives distinct projections."""
    script = Script("QF_LRA", f"{count} distinct points in dimension {dimension}")
    points = [script.reals(f"p{i}", dimension) for i in range(count)]
    pairs = list(combinations(points, 2))
    script.premise(all_of(any_of(distinct(a, b) for a, b in zip(*pair, strict=True)) for pair in pairs))
    collide = [any_of(eq(dot(w, p), dot(w, q)) for p, q in pairs) for w in _directions(count, dimension)]
    script.decide("claim_fails", all_of(collide))
    return Query(script)


def _constructed(net: MLP, data: Dataset) -> Evidence:
    """The construction's unit, replayed against the residuals of the first output on all rows,
    repeated inputs and all.
    """
    unit = separating_unit([g.input for g in data.groups], residual_sums(net, data))
    residuals = [row[0] for row in data.residuals(net)]
    return Evidence(facts.separating_unit(data.inputs, residuals, unit.weights, unit.bias))


def _solver(net: MLP, data: Dataset) -> Query:
    """The solver looks for w and b by itself."""
    script = Script("QF_NRA", "A unit with a nonzero inner product with the residuals")
    w, b = script.reals("w", len(data.inputs[0])), script.real("b")
    residuals = [row[0] for row in data.residuals(net)]
    units = [f"(relu {add(dot(w, z), b)})" for z in data.inputs]
    script.decide("claim_holds", distinct(dot(residuals, units), 0))

    def replay(witness: dict) -> dict:
        return facts.separating_unit(data.inputs, residuals, [witness[x] for x in w], witness[b])

    return Query(script, replay)


def _raw_residuals() -> Evidence:
    """Nonzero residuals that cancel within a repeated input: the premise is about sums over groups."""
    inputs, residuals = [[Fraction(0)], [Fraction(0)], [Fraction(1)]], [Fraction(1), Fraction(-1), Fraction(0)]
    return Evidence(facts.nothing_separates(inputs, residuals), holds=False)


CLAIM = Claim(
    id="C4",
    title="Separating unit",
    statement=r"Let $r_1,\dots,r_N$ be any numbers, or vectors, such as residuals. If their sums over the groups of "
    r"equal inputs are not all $0$, there are $w,b$ with $\sum_i r_i\,\mathrm{relu}(w\cdot z_i+b)\neq0$.",
    premises=("the sums of the r_i over equal inputs are not all zero",),
    proof=r"Two distinct inputs project alike along $(1,t,t^2,\dots)$ for at most $d-1$ values of $t$, so some "
    r"$t\in\{0,\dots,(d-1)\binom G2\}$ gives distinct projections $p_1<\dots<p_G$. Let $p_g$ be the highest with $\sum "
    r"r\neq0$ and $b$ minus a threshold strictly between $p_{g-1}$ (any lower number if $g=1$) and $p_g$: groups below "
    r"the threshold contribute $0$, those above $p_g$ have sum $0$, and the inner product is $(p_g+b)\sum_{i\in "
    r"g}r_i\neq0$.",
    limits="Universal: nothing is left open.",
    obligations=(
        universal(
            "For all d, N and residuals of any dimension: a nonzero group sum is seen by some hidden unit",
            "c4_separating_unit",
            "C4_separating_unit",
            "C4_direction",
            "C4_threshold",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as a unit that separates, or "
            "as residuals whose groups all sum to 0, is that",
            "check_separation",
            *("C4_check_unit", "C4_check_no_unit"),
            name="universal-checker",
        ),
        Obligation(
            "C4.line",
            f"For all {POINTS} distinct inputs on the line and all residual sums that are not all 0, a threshold "
            "halfway between neighbours, or 1 below all inputs, separates",
            Scope.BOUNDED,
            _line,
        ),
        *(
            Obligation(
                f"C4.direction-{name}",
                f"For all {count} distinct points with d={dimension}, one of the {len(_directions(count, dimension))} "
                "directions (1, t, .., t^(d-1)), t = 0, 1, .., has distinct projections",
                Scope.BOUNDED,
                partial(_direction, count, dimension),
            )
            for name, count, dimension in (("plane", 4, 2), ("space", 3, 3))
        ),
        Obligation(
            "C4.world",
            "The construction separates the residuals of the planted net on the world's training data",
            Scope.INSTANCE,
            lambda: _constructed(DECEPTIVE, WORLD.dataset()),
        ),
        Obligation(
            "C4.construction",
            "The construction separates the residuals on the line, where a solver is asked too",
            Scope.INSTANCE,
            lambda: _constructed(LINE_NET, LINE),
        ),
        Obligation(
            "C4.solver-line",
            "The solvers find a separating unit for the same data",
            Scope.INSTANCE,
            lambda: _solver(LINE_NET, LINE),
        ),
        Obligation(
            "C4.solver-plane",
            "The solvers find a separating unit for residuals orthogonal to every affine function of the plane",
            Scope.INSTANCE,
            lambda: _solver(PLANE_NET, PLANE),
        ),
        Obligation(
            "C4.control",
            "Nonzero residuals suffice, even if they cancel within equal inputs",
            Scope.INSTANCE,
            _raw_residuals,
            Verdict.REFUTED,
        ),
    ),
)
