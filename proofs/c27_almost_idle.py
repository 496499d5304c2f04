"""C27 almost idle: circuits that are nearly idle, activations near ReLU, and nets with a residual stream."""

from fractions import Fraction
from functools import partial
from itertools import combinations

import sympy

from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, any_of, lt, mul, square, sub
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.models.circuit import Unit, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import channels, facts, upper_layers
from proof_of_absence.proofs.c13_rent import ZIGZAG, mean_sent, rent, without
from proof_of_absence.proofs.examples import LINE
from proof_of_absence.proofs.facts.activations import Activation
from proof_of_absence.proofs.n4_almost_idle import HUNDREDTH, HUNDREDTH_ROWS, INPUTS, almost_idle
from proof_of_absence.proofs.universal import EXPONENTIAL, universal
from proof_of_absence.proofs.words import enumerated

# The part t of the loss at which the bound is tried.
PART = Fraction(1, 2)
# Within this of ReLU; SiLU is not within TOO_LITTLE, at AT.
WITHIN: dict[Activation, Fraction] = {"softplus": Fraction(7, 10), "silu": Fraction(3, 10), "gelu": Fraction(1, 5)}
TOO_LITTLE, AT = Fraction(1, 4), Fraction(-5, 4)
TITLES: dict[Activation, str] = {"softplus": "Softplus", "silu": "SiLU", "gelu": "GELU"}
# The hard swish t min(max(t + 3, 0), 6) / 6, and the slope of a leaky ReLU.
HARD_SWISH, LEAK = Fraction(3, 8), Fraction(1, 10)
LARGEST = 6


def _removal(count: int) -> Evidence:
    """t ((1 + t) |r|^2 + (1 + 1/t) |e|^2 - |r - e|^2) = |t r + e|^2, for vectors of so many examples."""
    r, e = ([sympy.Symbol(f"{name}{i}") for i in range(count)] for name in "re")
    t = sympy.Symbol("t")
    pairs = list(zip(r, e, strict=True))
    left = sum(t * (1 + t) * x**2 + (t + 1) * y**2 - t * (x - y) ** 2 for x, y in pairs)
    return identity(left, sum((t * x + y) ** 2 for x, y in pairs))


def _removals() -> Evidence:
    parts = [_removal(count) for count in range(1, LARGEST + 1)]
    return Evidence(facts.every(*(part.fact for part in parts)), holds=all(part.holds for part in parts))


def parted(*, whole: bool = True) -> Query:
    """(r - e)^2 <= (1 + t) r^2 + (1 + 1/t) e^2 for t > 0, times t; not with 1/t alone."""
    script = Script("QF_NRA", "The square of a difference")
    r, e, t = (script.real(name) for name in "ret")
    script.premise(lt(0, t))
    share = add(t, 1) if whole else "1"
    allowed = add(mul(t, add(1, t), square(r)), mul(share, square(e)))
    script.decide("claim_fails", lt(allowed, mul(t, square(sub(r, e)))))
    return Query(script)


def _relu_far(sigma: str, within: Fraction) -> Query:
    """That an activation, a term in t, is within a constant of ReLU."""
    script = Script("QF_NRA", "An activation against ReLU")
    t = script.real("t")
    away = script.define("away", sub(sigma, f"(relu {t})"))
    script.decide("claim_fails", any_of([lt(within, away), lt(away, -within)]))
    return Query(script)


def hard_swish() -> Query:
    """The hard swish is within 3/8 of ReLU."""
    return _relu_far("(* (/ 1 6) t (ite (< t (- 3)) 0 (ite (< 3 t) 6 (+ t 3))))", HARD_SWISH)


def leaky() -> Query:
    """A leaky ReLU is within 1 of ReLU, which is not so far below 0."""
    return _relu_far(f"(ite (< t 0) (* (/ {LEAK.numerator} {LEAK.denominator}) t) t)", Fraction(1))


def _like(name: Activation) -> Evidence:
    """An activation within its constant of ReLU."""
    return Evidence(facts.relu_like(name, WITHIN[name]))


def _bounded(minimum: Minimum, data: Dataset, pairs: list[tuple[frozenset[Unit], Vector]]) -> Evidence:
    """At a certified minimiser: what C27 says of circuits and the values in their place, at t = PART."""
    net = minimum.net
    parts = [facts.minimal(minimum, data, net), facts.loss_above_floor(net, data)]
    compared = []
    for circuit, value in pairs:
        bare = without(net, circuit, value)
        sent = zip(net.outputs(data.inputs), bare.outputs(data.inputs), strict=True)
        apart = sum(((f - g) ** 2 for a, b in sent for f, g in zip(a, b, strict=True)), start=Fraction(0)) / len(data)
        paid, gap = rent(net, circuit, value, data)["facts"]
        at = len(parts)
        parts += [facts.almost_idle(net, circuit, value, data, apart=apart), paid, gap]
        allowed = [(PART, 1, "loss"), (1 + 1 / PART, at, "apart")]
        constant = Fraction(gap["gap"])
        compared += [
            ((1, at + 1, "rent"), "<=", allowed),
            ((1, at + 2, "gap"), "=", constant),
            ([(constant, 1, "loss"), (-constant, 1, "noise_floor")], "<=", allowed),
        ]
    return Evidence(facts.every(*parts, compared=compared))


def _every_circuit(data: Dataset, units: int) -> Evidence:
    """Every circuit of a certified minimiser, with its mean in its place."""
    minimum = global_minimum(data, units)
    circuits = [frozenset(c) for k in range(1, units + 1) for c in combinations(hidden_units(minimum.net), k)]
    return _bounded(minimum, data, [(c, mean_sent(minimum.net, c, data)) for c in circuits])


def _planted() -> Evidence:
    """The planted net, no minimiser: its detector is idle, so at a small part t of the loss the bound fails."""
    net, circuit, data = DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset()
    value = mean_sent(net, circuit, data)
    _, gap = rent(net, circuit, value, data)["facts"]
    constant, loss, floor = Fraction(gap["gap"]), data.loss(net), data.noise_floor
    part = constant * (loss - floor) / (2 * loss)
    parts = facts.loss_above_floor(net, data), facts.almost_idle(net, circuit, value, data, apart=Fraction(0)), gap
    compared = [
        ((1, 2, "gap"), "=", constant),
        (
            [(part, 0, "loss"), (1 + 1 / part, 1, "apart")],
            "<",
            [(constant, 0, "loss"), (-constant, 0, "noise_floor")],
        ),
    ]
    return Evidence(facts.every(*parts, compared=compared), holds=False)


def _hundredth() -> Evidence:
    """N4's unit, silent on all rows but one in a hundred, with 0 in its place."""
    found = almost_idle(INPUTS, HUNDREDTH)
    return _bounded(found.minimum, found.data, [(found.circuit, vector([0]))])


CLAIM = Claim(
    id="C27",
    title="Almost idle circuits",
    statement=r"(i) Let $\theta$ minimise $L$ on $S_n$, $J$ be a nonempty circuit that sends $v$ in training but for "
    r"$\varepsilon$ in mean square, and $c(X)$ as in C12. Then $c(X)(L(\theta)-E)\le tL(\theta)+(1+1/t)\varepsilon$ "
    r"for every $t>0$. (ii) Let $|\sigma(t)-\mathrm{relu}(t)|\le\kappa$ for all $t$. Then C4 holds for units of "
    r"$\sigma$: if the residuals of some group do not sum to $0$, there are $w,b$ with $\sum_i\sigma(\langle "
    r"w,z_i\rangle+b)r_i\ne0$; and C8 holds for nets of such units: at a minimiser with $L>E$ no circuit can be "
    r"removed at no loss. Softplus, SiLU and GELU are such. (iii) C2 to C9, C12, C13 and C21 hold for the last hidden "
    r"layer of any architecture, with $E$ and groups taken over the values that it reads; and so does C17: at a "
    r"minimiser no circuit is train-idle where the gradients of some group do not sum to $0$. This $E$ is at least "
    r"that of the inputs, and equal to it if the layers below confuse no two of them. If that layer is a convolution "
    r"whose channels are summed over positions with fixed weights, idle channels can be reused by another kernel, bias "
    r"and readout of theirs to lower the loss, if for some patch the residuals of the examples, each taken with the "
    r"weights of the positions where it has that patch, do not sum to $0$. So where they do not, no channels of a net "
    r"with the best last layer are idle; nor can a constant replace any at no loss, where that is so of the residuals "
    r"with the constant. (iv) In a residual stream $h\mapsto h+B(h)$ let every branch $B$ above a circuit be blind to "
    r"a direction $a$, as it is if it reads $h$ through a matrix that sends $a$ to $0$, and let $a$ be read out as "
    r"$u$. If the circuit writes one value into the stream in training, and $\langle r_i,u\rangle$ do not sum to $0$ "
    r"on some group of equal values that the circuit reads, a unit on these values that writes along $a$, beside that "
    r"value in the circuit's place, gives a lower loss. So if no such unit does, no circuit that writes into the "
    r"stream can be replaced by a constant at no loss, where the residuals that are left do not sum to $0$ so. Units "
    r"of the circuit may lie in branches above: those that are left once it is hardcoded have to be blind.",
    premises=(
        "for (i): theta minimises L on S_n; eps is the mean over the examples of |circuit - v|^2",
        "for (ii): the activation is within a constant of ReLU; a minimiser with L > E",
        "for (iii): parameters below and above minimise the loss together; L > E, E over the values the layer reads",
        "for (iii): of a convolution, fixed weights of positions; weighted residuals do not sum to 0 over some patch",
        "for (iv): every branch above the hardcoded circuit is blind to a; the readout is affine; squared loss",
        "SiLU and softplus in Coq: exp and ln have the three properties that C17 uses",
    ),
    proof=r"(i) Without $J$ the residuals change by $e_i$, with $|e_i|^2$ of mean at most $\varepsilon$. As "
    r"$|r-e|^2\le(1+t)|r|^2+(1+1/t)|e|^2$, the rent of $J$ is at most $tL+(1+1/t)\varepsilon$. By \claim{C13} it is at "
    r"least $c(X)(L(\theta_0)-E)$, and $L(\theta_0)\ge L(\theta)$. (ii) Take $w,b$ of \claim{C4}, so that "
    r"$\sum_i\mathrm{relu}(p_i)r_i=s\ne0$ with $p_i=\langle w,z_i\rangle+b$. Scale them by $l$: the sum grows to $ls$, "
    r"and $\sigma$ in place of $\mathrm{relu}$ changes it by at most $\kappa\sum_i|r_i|$. With that unit \claim{C5} "
    r"lowers the loss as in \claim{C8}. $t\,G(t)$ with $G(-t)=1-G(t)$ is within $\kappa$ if $0\le t(1-G(t))\le\kappa$ "
    r"for $t\ge0$; for SiLU $t/(1+e^t)\le1$, and for softplus $\ln(1+e^{-|t|})\le1$. (iii) Fix what is below: the "
    r"layer and all above minimise the loss on these features, and \claim{C2}, \claim{C3}, \claim{C6}, \claim{C7}, "
    r"\claim{C8}, \claim{C9}, \claim{C12}, \claim{C13}, \claim{C17} and \claim{C21} apply. A channel is one unit on "
    r"the patches that the kernel reads: \claim{C4}, with the pairs of an example and a position as examples and "
    r"weighted residuals, gives a unit whose sum over positions has a nonzero inner product with the residuals, and "
    r"\claim{C5} lowers the loss. (iv) What is added along $a$ passes each block unchanged, by induction. So the unit "
    r"adds $\varphi(x)tu$ to the output, and the best $t$ lowers the loss as in \claim{C5}.",
    limits="Universal; for SiLU and softplus conditional on three properties of exp and ln, which no field has that "
    "Coq builds without an axiom. That GELU is within a constant of ReLU is not in Coq: with softplus and SiLU it is "
    "decided in ball arithmetic. (i) is weak where c(X) is small, and says nothing once eps is above c(X) (L - E); N4 "
    "is such a case. (ii) is for one hidden layer; a leaky ReLU is not within a constant of ReLU (C27.control-leaky). "
    "(iii) says nothing of circuits below the last hidden layer (C16 does, for those with a unit in every layer from "
    "some one up), and its E may be above that of the inputs: then an idle circuit may stay (C27.control-confused). "
    "Channels before a max-pooling are not treated; nor is the case that the residuals sum to 0 over every patch, "
    "where an idle channel may be of no use (C27.control-patches). (iv) supposes a blind direction: a normalisation of "
    "the whole stream is not blind, and no real net was searched for one.",
    rests_on=("C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C12", "C13", "C17", "C21"),
    obligations=(
        universal(
            "For all sizes: a circuit of a minimiser that is almost idle bounds the loss above the floor; C4 and C8 "
            "for activations within a constant of ReLU; C8 for the last hidden layer of any architecture; a circuit "
            "that is idle in a residual stream can be reused along a direction that no branch above reads",
            "c27_almost_idle",
            "C27_removal",
            "C27_almost_idle",
            "C27_like_unit",
            "C27_like_no_idle",
            "C27_like_no_removable",
            "C27_last_layer",
            "C27_blind",
            "C27_skip",
            "C27_residual",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as the mean square of what a "
            "circuit sends, less a value, is that",
            "check_gaps",
            "C27_check_apart",
            name="universal-checker",
        ),
        universal(
            "t G(t) is within a constant of ReLU if t (1 - G(t)) is bounded; so are SiLU and softplus, for every "
            "exp and ln with the properties that C17 uses",
            "c27_almost_idle",
            "C27_gated",
            "C27_silu",
            "C27_softplus",
            name="universal-activations",
            given=EXPONENTIAL,
        ),
        universal(
            "For the last hidden layer of any architecture, E taken over what it reads: C2 to C9, C12, C13, C21, and "
            "C17 for losses with a gradient; idle channels, units read at several patches, can be reused; C8 for "
            "circuits that write into a residual stream, and reuse where some of their units lie in branches above",
            "c27_last_layer",
            "C27_last_floor",
            "C27_last_outputs",
            "C27_last_free",
            "C27_last_unit",
            "C27_last_reassign",
            "C27_last_gain",
            "C27_last_no_idle",
            "C27_last_full_rank",
            "C27_last_rent",
            "C27_last_gradient",
            "C27_last_price",
            "C27_last_fires_free",
            "C27_channel",
            "C27_channel_best",
            "C27_stream_cut",
            "C27_stream_no_idle",
            "C27_stream_no_removable",
            name="universal-last-layer",
        ),
        universal(
            "A graph of layers that ends in a hidden layer and outputs is a net on what it reads; a channel of a "
            "convolution is one unit on patches; idle channels of the last hidden layer can be reassigned to lower the "
            "loss, where the residuals do not sum to 0 over some patch; so no best net has any, nor such that a "
            "constant can replace at no loss, where that is so of the residuals with it",
            "c27_graph",
            "C27_graph_last",
            "C27_conv_unit",
            "C27_conv_channel",
            "C27_conv_reassign",
            "C27_conv_no_idle",
            "C27_conv_no_removable",
            name="universal-graph",
        ),
        Obligation(
            "C27.removal",
            f"(1 + t) |r|^2 + (1 + 1/t) |e|^2 is above |r - e|^2 by exactly |t r + e|^2 / t: an identity, for "
            f"residuals r and what a circuit sends beside v, e, on N = 1..{LARGEST} examples",
            Scope.BOUNDED,
            _removals,
        ),
        Obligation(
            "C27.part",
            "(r - e)^2 is at most (1 + t) r^2 + (1 + 1/t) e^2, for all reals and t > 0",
            Scope.BOUNDED,
            parted,
        ),
        Obligation(
            "C27.skip",
            f"{upper_layers.BLOCKS} residual blocks of one unit, two coordinates, that read a multiple of their "
            "difference, all parameters unknown: what is added to both coordinates arrives unchanged",
            Scope.BOUNDED,
            upper_layers.skip,
        ),
        Obligation(
            "C27.hard-swish",
            f"The hard swish is within {HARD_SWISH} of ReLU, at every real number",
            Scope.BOUNDED,
            hard_swish,
        ),
        *(
            Obligation(
                f"C27.{name}",
                f"{title} is within {WITHIN[name]} of ReLU, at every real number, in ball arithmetic",
                Scope.INSTANCE,
                partial(_like, name),
            )
            for name, title in TITLES.items()
        ),
        *(
            Obligation(
                f"C27.minimiser-{units}",
                f"At a certified minimiser over S_{units} on {len(data)} inputs of the line: the claim for every "
                f"circuit with its mean in its place, at t = {PART}",
                Scope.INSTANCE,
                partial(_every_circuit, data, units),
            )
            for data, units in ((LINE, 1), (ZIGZAG, 2))
        ),
        Obligation(
            "C27.hundredth",
            f"The same for N4's unit, silent on {HUNDREDTH_ROWS - 1} of {HUNDREDTH_ROWS} rows, with 0 in its place",
            Scope.INSTANCE,
            _hundredth,
        ),
        Obligation(
            "C27.last-layer",
            f"{len(upper_layers.FEATURED)} inputs of the line, a layer below that puts out |x - p|, p one of "
            f"{enumerated(upper_layers.CENTRES)}, and S_1 above: at the least of the certified minimisers for each p, "
            "above its E, the circuit of the last layer pays, with its mean in its place",
            Scope.INSTANCE,
            partial(upper_layers.last_layer, 1),
        ),
        Obligation(
            "C27.stream",
            "Two residual blocks on a stream of two coordinates, of which the second block reads one: two units that "
            "write (6, 3) in training are cut and one is reused along the other; the loss falls by exactly what (iv) "
            "says",
            Scope.INSTANCE,
            upper_layers.blind_stream,
        ),
        Obligation(
            "C27.channel",
            f"A net of two channels, averaged over 3 positions, on {len(channels.POOLED_DATA)} inputs: the silent "
            "channel gets another kernel, bias and readout, the same at all positions; the loss falls by exactly what "
            "(iii) says",
            Scope.INSTANCE,
            channels.reused_channel,
        ),
        Obligation(
            "C27.control-patches",
            "The same at two inputs that have the same patches at other positions, with answers 1 and -1: some "
            "channel, readout and shift have a lower loss than 0 has",
            Scope.BOUNDED,
            channels.mirrored,
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-confused",
            "(iii) with E over the inputs in place of the values that the layer reads: "
            f"{len(upper_layers.CONFUSING)} inputs, |x - {upper_layers.CENTRES[-1]}| below, and a minimiser above that "
            f"E",
            Scope.INSTANCE,
            upper_layers.confused,
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-stream",
            "The same as C27.stream where the second block reads the sum of the coordinates: the loss falls",
            Scope.INSTANCE,
            upper_layers.reads_the_direction,
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-minimal",
            "(i) without minimality: the planted net, whose detector is idle, at a small t",
            Scope.INSTANCE,
            _planted,
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-part",
            "The same as C27.part with 1/t in place of 1 + 1/t",
            Scope.BOUNDED,
            partial(parted, whole=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-sees",
            "The same as C27.skip for blocks that read any combination of the coordinates",
            Scope.BOUNDED,
            partial(upper_layers.skip, blind=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-leaky",
            f"A leaky ReLU of slope {LEAK} is within 1 of ReLU",
            Scope.BOUNDED,
            leaky,
            Verdict.REFUTED,
        ),
        Obligation(
            "C27.control-silu",
            f"SiLU is within {TOO_LITTLE} of ReLU",
            Scope.INSTANCE,
            lambda: Evidence(facts.relu_apart("silu", AT, TOO_LITTLE), holds=False),
            Verdict.REFUTED,
        ),
    ),
)
