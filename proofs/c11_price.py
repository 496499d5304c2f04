"""C11 price of deception. The least loss that a circuit of k train-idle units leaves possible is L*(n - k):
a detector costs what its units were worth.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from proof_of_absence.checker.construct.hull import detector, locate
from proof_of_absence.checker.encode.nets import forward, net_at, unknown_parameters
from proof_of_absence.checker.experiments.scale.tax import tax_fact, threshold_fact
from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, any_of, distinct, dot, eq, lt, mul, square, sub
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.models.circuit import Unit, add_unit, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.models.scaling import LAWS, RESOLUTION
from proof_of_absence.proofs import facts, world_prices
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, PLANE_INPUTS, ZIGZAG
from proof_of_absence.proofs.examples import SEVEN, SQUARE
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import counted, listed

OUTSIDE, INSIDE = vector([5]), vector(["3/2"])
# Stated here, checked exactly: L*(1) - L*(2) and L*(1) - L*(4) on ZIGZAG.
TAX_OUTSIDE, TAX_INSIDE = Fraction(5, 12), Fraction(27, 20)
# L*(n - k) - L*(n) for k = 1 to n: n = 4 on SEVEN, n = 2 on SQUARE.
TAXES_SEVEN = tuple(map(Fraction, ("5/42", "13/30", "206/231", "47/42")))
TAXES_SQUARE = (Fraction(2, 27), Fraction(8, 81))
# Four units fit ZIGZAG: a kink at each input but the last.
FITTED_ZIGZAG = shallow([([1], -x, [a]) for x, a in enumerate((2, -5, 6, -5))], [0])
# A model of the size of Chinchilla (Hoffmann et al. 2022): parameters, tokens, and a detector of a million parameters.
PARAMETERS, TOKENS, DETECTOR = LARGE = (70 * 10**9, 14 * 10**11, 10**6)
# What the detector's parameters are worth less than, and what they are not worth, in nats a token.
WORTH_LESS, NOT_WORTH = Fraction(1, 2_000_000), Fraction(1, 1000)
# In the whole world: hours of training, few and more, and what a detector costs at most and at least.
FEW, MORE, AT_MOST, AT_LEAST = 4, 6, Fraction(1, 50), Fraction(1, 6)
# An hour, the units of a net and two numbers of hours of training between which the price of the hour's detector falls.
FALLING = (9, 1, (3, 4))


def join(net: MLP, inputs: Sequence[Vector], point: Vector) -> tuple[MLP, frozenset[Unit]]:
    """The net with the constructed detector of the point added, and the detector's units; training outputs stay."""
    wide = net
    for weights, bias, outgoing in detector(inputs, point):
        wide = add_unit(wide, weights, bias, [outgoing])
    return wide, frozenset(hidden_units(wide)) - frozenset(hidden_units(net))


def _taxed(data: Dataset, point: Vector, units: int, best: MLP, best_facts: Sequence[dict], tax: Fraction) -> Evidence:
    """A minimiser over S_units joined with the point's detector:
    its loss is L*(units), and `best`, of its class, has `tax` less.
    """
    minimum = global_minimum(data, units)
    deceptive, circuit = join(minimum.net, data.inputs, point)
    return Evidence(
        facts.every(
            locate(data.inputs, point).fact(data.inputs, point),
            facts.idle(deceptive, circuit, data.inputs, fires=point),
            facts.smaller_class(deceptive, minimum.net, data.inputs),
            facts.minimal(minimum, data),
            *best_facts,
            facts.lower_loss(deceptive, best, data, tax),
        )
    )


def _outside(tax: Fraction) -> Evidence:
    """In S_2: both minima certified, the lower one above the noise floor."""
    minimum = global_minimum(ZIGZAG, 2)
    minimal = facts.minimal(minimum, ZIGZAG)
    above = facts.loss_above_floor(minimum.net, ZIGZAG)
    return _taxed(ZIGZAG, OUTSIDE, 1, minimum.net, [minimal, above], tax)


def _inside(tax: Fraction) -> Evidence:
    """In S_4, which reaches the noise floor."""
    return _taxed(ZIGZAG, INSIDE, 1, FITTED_ZIGZAG, [facts.loss_at_floor(FITTED_ZIGZAG, ZIGZAG)], tax)


def _table(data: Dataset, point: Vector, taxes: Sequence[Fraction]) -> Evidence:
    """For k = 1 to n: a minimiser over S_(n-k) and k idle units, of which one fires at the point,
    and how far it is from L*(n).
    """
    units = len(taxes)
    best = global_minimum(data, units)
    shown = [facts.minimal(best, data), facts.loss_above_floor(best.net, data)]
    for k, tax in enumerate(taxes, 1):
        left = global_minimum(data, units - k)
        deceptive = _with_idle(left, units, data.inputs, point)
        circuit = hidden_units(deceptive)[left.units :]
        shown += [
            facts.minimal(left, data),
            facts.same_outputs(deceptive, left.net, data.inputs),
            facts.idle(deceptive, circuit, data.inputs, fires=point),
            facts.lower_loss(deceptive, best.net, data, tax),
        ]
    return Evidence(facts.every(*shown))


def _with_idle(minimum: Minimum, units: int, inputs: Sequence[Vector], point: Vector) -> MLP:
    """The minimiser and, last, the one-unit detector of a point outside the hull.

    Units that send nothing make up the number.
    """
    net = minimum.net
    while net.widths[1] < units - 1:
        net = add_unit(net, [0] * len(point), 0, [0])
    return join(net, inputs, point)[0]


def _diminishing() -> Evidence:
    """L*(1) - L*(2) is more than L*(0) - L*(1) on ZIGZAG, by certified minima:
    the second unit is worth more than the first.
    """
    zero, one, two = (global_minimum(ZIGZAG, n) for n in range(3))
    first, second = facts.lower_loss(zero.net, one.net, ZIGZAG), facts.lower_loss(one.net, two.net, ZIGZAG, wider=True)
    minima = [facts.minimal(m, ZIGZAG) for m in (zero, one, two)]
    more = ((1, 3, "drop"), "<", (1, 4, "drop"))
    return Evidence(facts.every(*minima, first, second, compared=[more]), holds=False)


def _untaxed() -> Evidence:
    """L*(2) = L*(1) on the same data, refuted: a minimiser over S_1, and a net of S_2 with a lower loss."""
    one, two = global_minimum(ZIGZAG, 1), global_minimum(ZIGZAG, 2)
    minimal = facts.minimal(one, ZIGZAG)
    return Evidence(facts.every(minimal, facts.lower_loss(one.net, two.net, ZIGZAG, wider=True)), holds=False)


def _scaled(limit: Fraction) -> Evidence:
    """By both laws a million parameters of Chinchilla are worth less than the limit.

    How many are worth more than runs vary by.
    """
    taxes = (tax_fact(law, *LARGE, below=limit) for law in LAWS.values())
    return Evidence(facts.every(*taxes, *(threshold_fact(law, LARGE[0], RESOLUTION.nats) for law in LAWS.values())))


def _worthless(limit: Fraction) -> Evidence:
    """That they are worth more than the limit, refuted by their tax."""
    return Evidence(facts.every(*(tax_fact(law, *LARGE, below=limit) for law in LAWS.values())), holds=False)


def _above_constants(inputs: Sequence[tuple], *, idle: bool = True) -> Query:
    """A net of one unit, all parameters and targets unknown:
    where the unit is idle, no loss below L*(0), that of the mean.

    `claim_fails` says that some output is not the constant c + v, or that this constant has a loss below the
    mean's; the first part is a lemma that spares the solvers an elimination. Where the unit need not be idle, it
    says that the net's loss is lower.
    """
    script = Script("QF_NRA", f"S_1 on inputs {inputs}: all parameters, targets and the idle value unknown")
    net = unknown_parameters(script, (len(inputs[0]), 1, 1))
    (_, ([[a]], [c])) = net
    ys = script.reals("y", len(inputs))
    mean = script.define("mean", mul(Fraction(1, len(inputs)), add(*ys)))
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(inputs)]
    outputs = [row[Unit(2, 0)] for row in terms]
    lemma_fails = []
    if idle:
        value, constant = script.real("v"), script.real("k")
        for row in terms:
            script.premise(eq(mul(a, row[Unit(1, 0)]), value))
        script.premise(eq(constant, add(c, value)))
        lemma_fails = [distinct(output, constant) for output in outputs]
        outputs = [constant] * len(inputs)
    error, least = (
        add(*(square(sub(f, y)) for f, y in zip(fs, ys, strict=True))) for fs in (outputs, [mean] * len(inputs))
    )
    script.decide("claim_fails", any_of([*lemma_fails, lt(error, least)]))

    def replay(witness: dict) -> dict:
        targets = [witness[y] for y in ys]
        constant = shallow([([0] * len(inputs[0]), 0, [0])], [sum(targets) / len(targets)])
        return facts.lower_loss(constant, net_at(net, witness), Dataset(inputs, [[y] for y in targets]))

    return Query(script, None if idle else replay)


def _removal(inputs: Sequence[tuple], units: int, circuit: Sequence[int]) -> Query:
    """All parameters unknown: without the idle circuit, its value added to the bias,
    every training output is the same.
    """
    script = Script("QF_NRA", f"S_{units} on inputs {inputs}: all parameters and the idle value unknown")
    net = unknown_parameters(script, (len(inputs[0]), units, 1))
    ((weights, bias), ([outgoing], [c])) = net
    value = script.real("v")
    kept = [j for j in range(units) if j not in circuit]
    smaller = [
        ([weights[j] for j in kept], [bias[j] for j in kept]),
        ([[outgoing[j] for j in kept]], [add(c, value)]),
    ]
    differ = []
    for i, z in enumerate(inputs):
        terms = forward(script, net, z, f"f{i}")
        script.premise(eq(dot([outgoing[j] for j in circuit], [terms[Unit(1, j)] for j in circuit]), value))
        differ.append(distinct(terms[Unit(2, 0)], forward(script, smaller, z, f"g{i}")[Unit(2, 0)]))
    script.decide("claim_fails", any_of(differ))
    return Query(script)


CLAIM = Claim(
    id="C11",
    title="Price of deception",
    statement=r"For $k\leq n$ and every real $t$: some $\theta\in S_n$ with a train-idle circuit of $k$ units has "
    r"$L(\theta)<t$ iff some $\theta'\in S_{n-k}$ has $L(\theta')<t$. So, $L^*(n)$ being the infimum of $L$ over "
    r"$S_n$, that over its nets with such a circuit is $L^*(n-k)$: the deception tax of $k$ units is "
    r"$L^*(n-k)-L^*(n)\geq0$. The same holds for the circuits of $k$ units that fire at $x$, if there is one at all; "
    r"for $m\geq1$ there is if $k\geq1$ and $x$ is outside the convex hull of the training inputs, or $k\geq3$ and $x$ "
    r"is no training input.",
    premises=(
        "k <= n; S_0 are the constants",
        "one hidden layer, squared loss, real parameters",
        "m >= 1 where circuits are to fire",
    ),
    proof=r"Hardcode the circuit: training outputs stay (\claim{C2}), and the function is in $S_{n-k}$ (\claim{C3}), "
    r"with the same loss. Conversely, add to $\theta'\in S_{n-k}$ the $k$ units of a detector of $x$ that sends $v$ in "
    r"training, and subtract $v$ from $c$: the loss stays, and the added circuit is idle and fires at $x$. Without "
    r"$x$, units of output weight $0$ serve. The units of a circuit that fires at $x$ in any net are a detector; "
    r"\claim{C10} says when one of $k$ units exists, more units being added with output weight $0$.",
    limits="Universal for one hidden layer; the infimum need not be attained, hence the bounds t. That the tax is "
    "positive is not said here, and at the noise floor it can be 0. More diverse data make a detector no smaller, but "
    "the price may fall: other data have other least losses (C11.control-diversity). Its value is computed on "
    "instances only, of one output, where minima can be certified, and bounded elsewhere. It need not have diminishing "
    "returns (C11.control-diminishing). For large models scaling laws stand in for L*: curves fitted to what training "
    "reached, measured and not proved; only their arithmetic is.",
    rests_on=("C2", "C3", "C10"),
    obligations=(
        universal(
            "For all d, n, m, N, t and k <= n: a net of S_n with an idle circuit of k units has loss below t iff one "
            "of S_(n-k) has, and likewise for circuits that fire at x, if one of k units does at all",
            "c11_price",
            "C11_price",
            "C11_price_detector",
            "C11_detector_size",
            "C11_price_outside",
            "C11_price_not_train",
        ),
        *(
            Obligation(
                f"C11.{name}",
                f"n=1, m=1, k=1, all parameters and targets on the inputs {listed(inputs)}: a net with an idle unit "
                "has no loss below L*(0), the mean target's",
                Scope.BOUNDED,
                partial(_above_constants, inputs),
            )
            for name, inputs in (("constants", LINE_INPUTS), ("constants-plane", PLANE_INPUTS))
        ),
        *(
            Obligation(
                f"C11.{name}",
                f"n={units}, m=1, k={len(circuit)}, all parameters on the inputs {listed(LINE_INPUTS)}: without the "
                "idle circuit, its value added to the bias, every training output is the same",
                Scope.BOUNDED,
                partial(_removal, LINE_INPUTS, units, circuit),
            )
            for name, units, circuit in (("removal", 2, (0,)), ("removal-joint", 3, (0, 1)))
        ),
        Obligation(
            "C11.outside",
            f"n=2, k=1, {len(ZIGZAG)} inputs on the line: a net with a detector of x = {OUTSIDE[0]}, outside the hull, "
            f"has loss L*(1); a minimiser over S_2 has {TAX_OUTSIDE} less, which is the tax",
            Scope.INSTANCE,
            partial(_outside, TAX_OUTSIDE),
        ),
        Obligation(
            "C11.inside",
            f"n=4, k=3, the same data: a net with a detector of x = {INSIDE[0]}, inside the hull, has loss L*(1); a "
            f"net of S_4 at the noise floor has {TAX_INSIDE} less, which is the tax",
            Scope.INSTANCE,
            partial(_inside, TAX_INSIDE),
        ),
        *(
            Obligation(
                f"C11.table-{name}",
                f"n={len(taxes)}, {len(data)} inputs {where}: for k = {counted(len(taxes))}, a net with k units that "
                f"are idle together and fire at {listed([point])} has loss L*(n-k), and L*(n-k) - L*(n), the tax, is "
                f"{', '.join(map(str, taxes))}; all minima certified",
                Scope.INSTANCE,
                partial(_table, data, point, taxes),
            )
            for name, data, point, taxes, where in (
                ("line", SEVEN, vector([7]), TAXES_SEVEN, "on the line"),
                ("plane", SQUARE, vector([3, 3]), TAXES_SQUARE, "in the plane"),
            )
        ),
        Obligation(
            "C11.scaling",
            "By the scaling laws of Hoffmann et al. (2022) and Besiroglu et al. (2024), which are measured and not "
            f"proved: {DETECTOR:,} of {PARAMETERS:,} parameters are worth less than {WORTH_LESS} nats a token, and the "
            f"least k worth more than {RESOLUTION.nats} is enclosed between two taxes",
            Scope.INSTANCE,
            partial(_scaled, WORTH_LESS),
        ),
        *(
            Obligation(
                f"C11.{name}",
                f"{humans} on one line of hours (d=1), n={units}: {world_prices.in_words(hour, known)}",
                Scope.INSTANCE,
                partial(world_prices.by_diversity, company, hour, units, known),
            )
            for name, humans, company, hour, units, known in (
                ("diversity", "The world's careless nights", NIGHT_SHIFT, 9, 3, {8: (1, "0"), 10: (3, "96/625")}),
                ("price-falls", "The world's attentive humans", ATTENTIVE, 4, 2, {4: (1, "3/88"), 5: (2, "19/600")}),
            )
        ),
        Obligation(
            "C11.whole-world",
            f"The whole world (d=6), attentive humans, n=3: with {FEW} hours of training a detector of 1 unit, which "
            f"serves for hour 4, costs at most {AT_MOST}; with {MORE} that hour's needs 3 units (both by C10.nested), "
            f"and these cost at least {AT_LEAST}",
            Scope.INSTANCE,
            partial(world_prices.bounded, FEW, MORE, AT_MOST, AT_LEAST),
        ),
        Obligation(
            "C11.control-diversity",
            f"The world's attentive humans on one line of hours (d=1), n={FALLING[1]}: more hours of training do not "
            f"lower the price of a detector of hour {FALLING[0]}, from {' hours to '.join(map(str, FALLING[2]))}",
            Scope.INSTANCE,
            partial(world_prices.does_not_fall, ATTENTIVE, *FALLING),
            Verdict.REFUTED,
        ),
        Obligation(
            "C11.control",
            "On the data of C11.outside the tax of one unit in S_2 is zero: no net of S_2 has a loss below L*(1)",
            Scope.INSTANCE,
            _untaxed,
            Verdict.REFUTED,
        ),
        Obligation(
            "C11.control-scaling",
            f"By the laws of C11.scaling {DETECTOR:,} of {PARAMETERS:,} parameters are worth at least {NOT_WORTH} nats "
            "a token",
            Scope.INSTANCE,
            partial(_worthless, NOT_WORTH),
            Verdict.REFUTED,
        ),
        Obligation(
            "C11.control-diminishing",
            "The tax has diminishing returns: on the data of C11.outside the second unit is worth no more than the "
            "first",
            Scope.INSTANCE,
            _diminishing,
            Verdict.REFUTED,
        ),
        Obligation(
            "C11.control-active",
            "The same as C11.constants for a unit that need not be idle",
            Scope.BOUNDED,
            partial(_above_constants, LINE_INPUTS, idle=False),
            Verdict.REFUTED,
        ),
    ),
)
