"""C24 sample. A finite class, and enough independent inputs with deployment among them:
any model of the class that agrees on the sample defects rarely at deployment.
"""

from fractions import Fraction
from functools import partial
from itertools import product

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, eq, le, lt, mul, sub
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal

# Nets of one unit on an hour, with parameters of one bit. They can say yes at the last hour, or at the last two.
GRID = vector((-1, 1))
NEVER = shallow([([1], 1, [-1])], [-1])
HOURS = matrix([[0], [2], [3]])
RATE, OFTEN, RARE = Fraction(1, 2), Fraction(3, 4), Fraction(1, 10)
TRAINED, DEPLOYED = vector((1, 0, 0)), vector((0, 1 - RARE, RARE))
DRAWS, NOISY_DRAWS = 8, 20
# One answer in ten is wrong; theta = 3 is the best there.
NOISE, THETA = Fraction(1, 10), Fraction(3)
# What K b + B draws for each 1 / (eps a) come to: 3 >= 1 / (eps a), K b = 4.
BITS = 2
# Inputs, and draws, of the symbolic query.
POINTS, SAMPLE = 2, 3


def agrees_and_defects(points: int, draws: int, *, mixed: bool = True) -> Query:
    """All distributions, rates and thresholds unknown; a model for each input, which defects there and nowhere else."""
    script = Script("QF_NRA", f"{points} models that defect at one input each, samples of {draws}")
    train, deploy = script.reals("train", points), script.reals("dep", points)
    eps, a = script.real("eps"), script.real("a")
    for p in (train, deploy):
        script.premise(all_of([*(le(0, x) for x in p), eq(add(*p), 1)]))
    script.premise(all_of([le(0, eps), le(0, a), le(mul(eps, a), 1)]))
    if mixed:
        script.premise(all_of(le(mul(eps, q), p) for p, q in zip(train, deploy, strict=True)))
    chance = []
    for sample in product(range(points), repeat=draws):
        unseen = [le(a, deploy[i]) for i in range(points) if i not in sample]
        if unseen:
            chance.append(f"(ite {any_of(unseen)} {mul(*(train[i] for i in sample))} 0)")
    missed = script.define("missed", sub(1, mul(eps, a)))
    script.decide("claim_fails", lt(mul(points, *[missed] * draws), add(*chance)))
    return Query(script)


def setting(rate: Fraction) -> facts.Sampling:
    """The class, with deployment mixed into training at this rate."""
    train = vector((1 - rate) * p + rate * q for p, q in zip(TRAINED, DEPLOYED, strict=True))
    return facts.Sampling(NEVER, GRID, HOURS, train, DEPLOYED, rate)


def _bound(least: Fraction) -> Fraction:
    return Fraction(len(GRID) ** 4) * (1 - RATE * least) ** DRAWS


def _mixed() -> Evidence:
    fact = facts.sample_chance(setting(RATE), OFTEN, DRAWS)
    low = [((1, 0, "chance"), "<=", (1, 0, "bound")), ((1, 0, "bound"), "<", 1)]
    return Evidence(facts.every(fact, compared=[(0, "<", (1, 0, "chance")), *low]))


def _bits() -> Evidence:
    # 3 (4 + 2) draws: M (K b + B).
    fact = facts.sample_chance(setting(RATE), OFTEN, 3 * (4 + BITS))
    return Evidence(facts.every(fact, compared=[((1, 0, "chance"), "<=", Fraction(1, 2**BITS))]))


def _noisy() -> Evidence:
    fact = facts.sample_chance(setting(RATE), OFTEN, NOISY_DRAWS, noise=NOISE, theta=THETA)
    low = [((1, 0, "chance"), "<=", (1, 0, "bound")), ((1, 0, "bound"), "<", 1)]
    return Evidence(facts.every(fact, compared=[(0, "<", (1, 0, "chance")), *low]))


def _above(rate: Fraction, least: Fraction, bound: Fraction) -> Evidence:
    """The chance is above a bound that was claimed for other premises."""
    fact = facts.sample_chance(setting(rate), least, DRAWS)
    return Evidence(facts.every(fact, compared=[(bound, "<", (1, 0, "chance"))]), holds=False)


CLAIM = Claim(
    id="C24",
    title="Sample",
    statement=r"Let $F$ be a finite class of models, $g$ a base policy, and draw $N$ independent inputs from "
    r"$P_{\mathrm{train}}\geq\varepsilon P_{\mathrm{dep}}$. The chance that any model of $F$ agrees with $g$ on the "
    r"sample and defects with $P_{\mathrm{dep}}\geq a$ is at most $|F|(1-\varepsilon a)^N$. If $|F|\leq2^{Kb}$, as for "
    r"$K$ parameters of $b$ bits, and $N\geq M(Kb+B)$ with $M\varepsilon a\geq1$, it is at most $2^{-B}$. If an "
    r"answer is that of $g$ with probability $1-\eta$ at least at every input, then for $\theta\geq1$ with "
    r"$\theta\eta\leq1-\eta$ the chance that any model of $F$ has no more wrong answers than $g$ and defects with "
    r"$P_{\mathrm{dep}}\geq a$ is at most $|F|(1-\kappa\varepsilon a)^N$ with "
    r"$\kappa=(\theta-1)((1-\eta)/\theta-\eta)$.",
    premises=(
        "a finite class: |F| models of any kind",
        "independent inputs from one distribution",
        "mixing: P_train >= eps P_dep, and eps a <= 1",
        "for noisy answers: finitely many answers, independent draws of pairs, and answers that are right at every "
        "input with probability 1 - eta at least, so eta < 1/2 for a bound below |F|",
    ),
    proof=r"A model that defects with $P_{\mathrm{dep}}\geq a$ does so with $P_{\mathrm{train}}\geq\varepsilon a$ "
    r"(\claim{C1}), so it agrees with $g$ at all of $N$ independent inputs with chance $(1-P_{\mathrm{train}})^N$ "
    r"exactly, at most $(1-\varepsilon a)^N$. Add up over the class. With $x=\varepsilon a$ and $Mx\geq1$, "
    r"$(1-x)^M(1+x)^M\leq1$ and $(1+x)^M\geq1+Mx\geq2$, so that $(1-x)^M\leq\frac12$; take this to the power $Kb+B$. "
    r"With noise, weigh a pair $\theta$ if $f$ is right and $g$ wrong there, $1/\theta$ if $g$ is right and $f$ wrong, "
    r"else $1$. Where $f$ has no more wrong answers than $g$ the product of the weights is at least $1$, so the chance "
    r"of that is at most their mean. The draws are independent: it is the $N$-th power of the mean of one weight. "
    r"Where $f$ and $g$ differ, $f$ is right with probability $\eta$ at most and $g$ with $1-\eta$ at least; so the "
    r"mean is at most $1-\kappa P_{\mathrm{train}}$ of where they differ.",
    limits="Universal for finite classes and finitely many inputs, in exact sums. Nothing is said of a defection rarer "
    "than a (C24.control-rare): a trigger that deployment hardly ever has escapes. Without mixing nothing is said at "
    "all (C24.control-mixing). Deployment must be in training at a known rate, with the right answers. The bound is in "
    "powers of two; its form with logarithms, a <= (K b ln 2 + ln 1/delta) / (eps N), is a little sharper and not in "
    "Coq. That training finds a model that agrees on the sample, or one with no more errors than g, is a premise. "
    "Wrong answers are counted: the squared loss is not treated. For large networks K b is far above any number of "
    "inputs, and then the bound says nothing.",
    rests_on=("C1",),
    obligations=(
        universal(
            "For all finite sets of inputs, models and answers, all distributions and N: the chance that one model "
            "agrees; the bound for any model of the class, without and with mixing; the form for K parameters of b "
            "bits; and the bound with noisy answers",
            "c24_sample",
            "C24_agrees",
            "C24_sample",
            "C24_mixing",
            "C24_bits",
            "C24_noisy",
        ),
        Obligation(
            "C24.sample",
            f"{POINTS} inputs, a model for each that defects there only, N={SAMPLE}, all distributions, eps and a "
            "unknown: the bound of the sample holds",
            Scope.BOUNDED,
            partial(agrees_and_defects, POINTS, SAMPLE),
        ),
        Obligation(
            "C24.census",
            f"All {len(GRID) ** 4} nets of one unit with parameters of one bit, on the hours 0, 2 and 3, with "
            f"eps={RATE}, a={OFTEN}, N={DRAWS}: the chance, exactly, is positive and within the bound, which is below "
            "1",
            Scope.INSTANCE,
            _mixed,
        ),
        Obligation(
            "C24.bits",
            f"The same with N=3 (4 + {BITS}): the chance is at most 2^-{BITS}",
            Scope.INSTANCE,
            _bits,
        ),
        Obligation(
            "C24.noisy",
            f"The same with one answer in {NOISE.denominator} wrong, theta={THETA} and N={NOISY_DRAWS}: the chance "
            "that a net has no more wrong answers than the base is positive and within the bound, which is below 1",
            Scope.INSTANCE,
            _noisy,
        ),
        Obligation(
            "C24.control",
            "The same as C24.sample without mixing",
            Scope.BOUNDED,
            partial(agrees_and_defects, POINTS, SAMPLE, mixed=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "C24.control-mixing",
            "The bound of C24.census where deployment is not mixed in: the chance is within it",
            Scope.INSTANCE,
            lambda: _above(Fraction(0), OFTEN, _bound(OFTEN)),
            Verdict.REFUTED,
        ),
        Obligation(
            "C24.control-rare",
            f"The bound of C24.census for models that defect with P_dep >= {RARE}, at the last hour only: the chance "
            "is within it",
            Scope.INSTANCE,
            lambda: _above(RATE, RARE, _bound(OFTEN)),
            Verdict.REFUTED,
        ),
    ),
)
