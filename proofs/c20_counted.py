"""C20 counted parameters: fewer weights than inputs, and targets in general position, give P1.

"K is too low for the data" becomes a count, and with C8 the seed's claim has no other premise. On given data P1 follows
from bends too: inputs on a line, along which the mean targets bend more often than a net has units.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations, combinations_with_replacement
from math import comb

from flint import fmpz_mat

from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, dot, eq
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import ARCHITECTURE, WORLD
from proof_of_absence.models.rational import Numbers
from proof_of_absence.models.world import CLUMSY, QUESTIONS, State, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, ZIGZAG
from proof_of_absence.proofs.examples import ALTERNATING, SEVEN, SQUARE
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

# One input more than n (d + 1) + 1, and as many as that: then some targets in general position are fitted.
ONE_UNIT = (LINE_INPUTS, 1)
TOO_FEW = (LINE_INPUTS[:3], 1)
PLANE_INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 1))
# More inputs than the count asks for, and a net that fits them: the targets lie on a hyperplane.
ON_A_HYPERPLANE = Dataset([[x] for x in range(6)], [[max(x - 2, 0)] for x in range(6)])
FITTING = shallow([([1], -2, [1])], [0])

# Clumsy tampering by hour, with each question: at the lapses some human says yes to the first and no to the second.
GLITCHES = [[encode(State(0, CLUMSY, hour), question) for hour in WORLD.train_hours] for question in QUESTIONS]
# Data, a line on which the targets bend up and one on which they bend down, and how many bends there are.
BENT: dict[str, tuple[Dataset, Sequence[Numbers], Sequence[Numbers], int]] = {
    "seven": (SEVEN, SEVEN.inputs, SEVEN.inputs, 5),
    "alternating": (ALTERNATING, ALTERNATING.inputs, ALTERNATING.inputs, 6),
    "square": (SQUARE, SQUARE.inputs[3:6], SQUARE.inputs[:3], 2),
    "world": (WORLD.dataset(), GLITCHES[0], GLITCHES[1], 6),
}
Input = Sequence[int]
# For each unit the places of the inputs at which it is active.
Pattern = tuple[frozenset[int], ...]


def subsets(number: int) -> list[frozenset[int]]:
    """Every set of so many inputs, by their places."""
    return [frozenset(chosen) for size in range(number + 1) for chosen in combinations(range(number), size)]


def patterns(inputs: Sequence[Input], units: int) -> Iterator[Pattern]:
    """Every choice of a set of inputs for each unit, whose order does not matter."""
    return combinations_with_replacement(subsets(len(inputs)), units)


def table(inputs: Sequence[Input], pattern: Pattern) -> list[list[int]]:
    """The rows (1, and for each unit 1 and z where it is active, else 0), shape (N, n (d + 1) + 1)."""
    return [
        [1, *(entry * (i in active) for active in pattern for entry in (1, *z))]
        for i, z in enumerate(inputs)
    ]  # fmt: skip


def normal(inputs: Sequence[Input], pattern: Pattern) -> list[int] | None:
    """Integers, not all 0, orthogonal to every column of the table; None if its rows are independent."""
    columns = [list(column) for column in zip(*table(inputs, pattern), strict=True)]
    basis, nullity = fmpz_mat(columns).nullspace()
    return [int(basis[i, 0]) for i in range(len(inputs))] if nullity else None


def no_fit(inputs: Sequence[Input], units: int) -> Query:
    """Suppose the targets lie on no hyperplane of a pattern: no net of S_n fits them all. Unsat if there are enough."""
    script = Script("QF_NRA", f"S_{units} on inputs {inputs}: all parameters and targets unknown")
    net = unknown_parameters(script, (len(inputs[0]), units, 1))
    ys = script.reals("y", len(inputs))
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(inputs)]
    normals = {tuple(v) for pattern in patterns(inputs, units) if (v := normal(inputs, pattern))}
    for row in sorted(normals):
        script.premise(distinct(dot(row, ys), 0))
    script.decide("claim_fails", all_of(eq(term[Unit(2, 0)], y) for term, y in zip(terms, ys, strict=True)))
    return Query(script)


def in_general_position(data: Dataset) -> Query:
    """For one unit, no set of inputs has a function that is affine on it, constant off it, and fits the targets."""
    script = Script("QF_LRA", f"An affine function on a set of inputs, a constant elsewhere, targets {data.targets}")
    c, bias, weights = script.real("c"), script.real("b"), script.reals("w", len(data.inputs[0]))
    fits = []
    for active in subsets(len(data)):
        outputs = [add(c, bias, dot(z, weights)) if i in active else c for i, z in enumerate(data.inputs)]
        fits.append(all_of(eq(f, y) for f, (y,) in zip(outputs, data.targets, strict=True)))
    script.decide("claim_fails", any_of(fits))
    return Query(script)


def _bends(data: Dataset, up: Sequence[Numbers], down: Sequence[Numbers], units: int) -> Evidence:
    """The targets have so many bends: P1 for all nets of fewer units."""
    return Evidence(facts.bends(data, 0, up, down, units))


def _as_many_units() -> Evidence:
    """As many bends as units, and a net that fits."""
    data = ON_A_HYPERPLANE
    fact = facts.bends(data, 0, data.inputs, data.inputs, FITTING.widths[1])
    return Evidence(facts.every(fact, facts.loss_at_floor(FITTING, data)), holds=False)


def _on_a_hyperplane() -> Evidence:
    """A net that fits data of more inputs than the count asks for."""
    return Evidence(facts.loss_at_floor(FITTING, ON_A_HYPERPLANE), holds=False)


CLAIM = Claim(
    id="C20",
    title="Counted parameters",
    statement=r"Let the $N$ training inputs be distinct and $n(d+1)+1<N$. There are finitely many hyperplanes of "
    r"$\mathbb{R}^N$ such that P1 holds for $S_n$ whenever the targets, in some coordinate of the output, lie on none "
    r"of them. So then no circuit of a minimiser can be removed at no loss. Whatever their number, with repeated "
    r"inputs "
    r"too: along a direction of the outputs, let the mean target at an input be below the chord between two others of "
    r"a "
    r"line, in $P$ gaps of the line that follow one another, and above it in $M$ gaps of a line, the same or another. "
    r"Then P1 holds for $S_n$ with $n<P+M$.",
    premises=(
        "distinct training inputs, n (d + 1) + 1 < N: fewer weights and biases of hidden units, and one more, than "
        "inputs",
        "general position: in some coordinate the targets lie on none of finitely many hyperplanes",
        "or, for the last sentences: P gaps where the mean targets are below the chord, M where they are above, n < P "
        "+ M",
        "for the third sentence: a minimiser, one hidden layer, squared loss",
    ),
    proof=r"Say of each unit at which inputs it is active. With this pattern, the outputs of a net in coordinate $k$ "
    r"are combinations of $n(d+1)+1$ vectors of $\mathbb{R}^N$ that do not depend on the parameters: the constant, "
    r"and for each unit the indicator of its inputs, alone and times each coordinate of $z$. They are fewer than $N$, "
    r"so that some $v\neq0$ is orthogonal to all of them. Take the hyperplane of $v$ for each pattern. Targets that "
    r"lie on none of them are fitted by no net of $S_n$. As the inputs are distinct, $L(\theta)>E$ for every "
    r"$\theta\in S_n$, which is P1 by \claim{C6}. The third sentence is \claim{C8}. For the last ones, take the "
    r"direction "
    r"to be $v$, and a net that has the mean targets. On a gap where they are below the chord some unit bends up, "
    r"since "
    r"a sum of functions that are above their chords is above its chord: it has $\langle v,a_j\rangle>0$, and "
    r"its pre-activation has opposite signs at the ends of the gap. Being affine along the line, it has so on one gap "
    r"at most. So there are $P$ units with $\langle v,a_j\rangle>0$, and likewise $M$ with "
    r"$\langle v,a_j\rangle<0$, and $n\geq P+M$.",
    limits="Universal for one hidden layer and distinct inputs. The hyperplanes are those of all patterns, also of "
    "such as no unit has: the condition is sufficient, not necessary (C20.control-alternating). They are too many to "
    "list "
    "for large classes; there bends decide, also a condition that is sufficient only: where they are too few, P1 may "
    "hold all the same. Targets that people "
    "choose may lie on one: many inputs with one answer do. Whether a minimiser exists is not said.",
    rests_on=("C6", "C8"),
    obligations=(
        universal(
            "For all d, n, m and N > n (d + 1) + 1 distinct inputs: outside finitely many hyperplanes of targets P1 "
            "holds, and no circuit of a minimiser can be removed at no loss",
            "c20_counted",
            "C20_counted",
            "C20_seed",
        ),
        universal(
            "For all d, n, m, N, and repeated inputs: P1 for S_n where the mean targets are below the chord in P gaps "
            "of "
            "a line and above it in M gaps of a line, n < P + M",
            "c20_bends",
            "C20_bend",
            "C20_bends",
            name="universal-bends",
        ),
        *(
            Obligation(
                f"C20.{name}",
                f"n={units}, m=1, all parameters and targets on the inputs {listed(inputs)}: no net fits targets that "
                f"lie on none of the hyperplanes of the {comb(2 ** len(inputs) + units - 1, units)} patterns",
                Scope.BOUNDED,
                partial(no_fit, inputs, units),
            )
            for name, inputs, units in (("line", *ONE_UNIT), ("plane", PLANE_INPUTS, 1))
        ),
        *(
            Obligation(
                f"C20.general-{name}",
                f"n=1: {len(data)} inputs of the line, more than {2 + 1}, and targets {listed(data.targets)}: for none "
                f"of the {2 ** len(data)} sets of inputs does a function fit them that is affine on the set and "
                "constant off it",
                Scope.BOUNDED,
                partial(in_general_position, data),
            )
            for name, data in (("five", ZIGZAG), ("seven", SEVEN))
        ),
        *(
            Obligation(
                f"C20.bends-{name}",
                f"{len(data.groups)} distinct inputs {where}: the mean targets have {units} bends, so P1 holds for S_n "
                f"with n up to {units - 1}",
                Scope.INSTANCE,
                partial(_bends, data, up, down, units),
            )
            for name, (data, up, down, units), where in (
                ("seven", BENT["seven"], "of the line, those of C20.general-seven"),
                ("alternating", BENT["alternating"], "of the line, those of C20.control-alternating"),
                ("square", BENT["square"], "of a grid, the parity of the coordinates"),
            )
        ),
        Obligation(
            "C20.bends-world",
            f"The world's training data, {len(BENT['world'][0].groups)} distinct inputs: the mean answers on clumsy "
            f"tampering have {BENT['world'][3]} bends by hour, so P1 holds for the class of the planted nets, "
            f"{ARCHITECTURE.widths}",
            Scope.INSTANCE,
            partial(_bends, *BENT["world"]),
        ),
        Obligation(
            "C20.control-bends",
            f"P1 for S_n with as many units as bends: {len(ON_A_HYPERPLANE)} inputs of the line, {FITTING.widths[1]} "
            f"of "
            "each",
            Scope.INSTANCE,
            _as_many_units,
            Verdict.REFUTED,
        ),
        Obligation(
            "C20.control",
            f"The claim without general position: no net of one unit fits {len(ON_A_HYPERPLANE)} distinct inputs",
            Scope.INSTANCE,
            _on_a_hyperplane,
            Verdict.REFUTED,
        ),
        Obligation(
            "C20.control-alternating",
            f"The same as C20.general-seven for the {len(ALTERNATING)} alternating targets of C8, for which P1 holds "
            "all the same",
            Scope.BOUNDED,
            partial(in_general_position, ALTERNATING),
            Verdict.REFUTED,
        ),
        Obligation(
            "C20.control-count",
            f"The same as C20.line on {len(TOO_FEW[0])} inputs, which is n (d + 1) + 1",
            Scope.BOUNDED,
            partial(no_fit, *TOO_FEW),
            Verdict.REFUTED,
        ),
    ),
)
