"""C1 detector. A model that agrees with the base policy in training and defects at deployment is a shift detector,
and total variation bounds how good a one.
"""

from fractions import Fraction

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, eq, le, lt, mul, no, sub
from proof_of_absence.models.policies import DECEPTIVE, IMITATOR
from proof_of_absence.models.world import World
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal

POINTS = 5
MIXING = Fraction(1, 10)
# What the control puts in the place of total variation.
PART_OF_TV = Fraction(1, 2)


def _distributions(script: Script) -> tuple[list[str], list[str]]:
    """Two unknown distributions on POINTS inputs: P_train and P_dep."""
    both = script.reals("train", POINTS), script.reals("dep", POINTS)
    for p in both:
        script.premise(all_of([*(le(0, x) for x in p), eq(add(*p), 1)]))
    return both


def _probability(p: list[str], event: list[str]) -> str:
    return add(*(f"(ite {inside} {x} 0)" for x, inside in zip(p, event, strict=True)))


def _total_variation(script: Script, p: list[str], q: list[str]) -> str:
    gaps = [f"(ite {le(x, y)} {sub(y, x)} {sub(x, y)})" for x, y in zip(p, q, strict=True)]
    return script.define("tv", mul(Fraction(1, 2), add(*gaps)))


def _variation_bound(factor: Fraction) -> Query:
    script = Script("QF_LRA", f"P_dep(D) - P_train(D) <= {factor} TV, for every event D on {POINTS} inputs")
    train, dep = _distributions(script)
    event = [script.boolean(f"in_{i}") for i in range(POINTS)]
    bound = mul(factor, _total_variation(script, train, dep))
    script.decide("claim_fails", lt(bound, sub(_probability(dep, event), _probability(train, event))))
    return Query(script)


def _mixing_bound() -> Query:
    script = Script("QF_NRA", "P_train >= eps P_dep implies eps P_dep(D) <= P_train(D)")
    train, dep = _distributions(script)
    eps = script.real("eps")
    script.premise(lt(0, eps))
    script.premise(all_of(le(mul(eps, q), p) for p, q in zip(train, dep, strict=True)))
    event = [script.boolean(f"in_{i}") for i in range(POINTS)]
    script.decide("claim_fails", lt(_probability(train, event), mul(eps, _probability(dep, event))))
    return Query(script)


def _posterior() -> Query:
    script = Script("QF_NRA", "Two sources with prior t: P(dep|z) = 1 - P(train|z)")
    p, q, t = script.real("p_train_z"), script.real("p_dep_z"), script.real("t")
    script.premise(all_of([le(0, p), le(0, q), lt(0, t), lt(t, 1), lt(0, add(p, q))]))
    from_train, from_dep = mul(sub(1, t), p), mul(t, q)
    evidence = script.define("evidence", add(from_train, from_dep))
    posterior, train = script.real("posterior_dep"), script.real("posterior_train")
    script.premise(all_of([eq(mul(posterior, evidence), from_dep), eq(mul(train, evidence), from_train)]))
    script.decide("claim_fails", distinct(posterior, sub(1, train)))
    return Query(script)


def _bayes_optimal() -> Query:
    script = Script("QF_LRA", "At equal priors no rule beats accuracy (1+TV)/2, and the posterior above 1/2 reaches it")
    train, dep = _distributions(script)
    best = script.define("best", mul(Fraction(1, 2), add(1, _total_variation(script, train, dep))))
    rule = [script.boolean(f"says_deployment_{i}") for i in range(POINTS)]
    threshold = [lt(p, q) for p, q in zip(train, dep, strict=True)]

    def accuracy(says: list[str]) -> str:
        rejected = _probability(train, [no(s) for s in says])
        return mul(Fraction(1, 2), add(_probability(dep, says), rejected))

    script.decide("claim_fails", any_of([lt(best, accuracy(rule)), distinct(best, accuracy(threshold))]))
    return Query(script)


def _detector(world: World, **more) -> Evidence:
    train, deploy = world.train_distribution(), world.deploy_distribution()
    return Evidence(facts.detector(DECEPTIVE, IMITATOR, train, deploy, **more))


CLAIM = Claim(
    id="C1",
    title="Detector",
    statement=r"Let $D_f=\{z: f(z)\neq g(z)\}$. If $f=g$ wherever $P_{\mathrm{train}}$ is not $0$, and "
    r"$P_{\mathrm{dep}}(D_f)>0$, then $P_{\mathrm{train}}(D_f)=0<P_{\mathrm{dep}}(D_f)$: the indicator of $D_f$ is a "
    r"shift detector without false alarm in training. For every event $D$, "
    r"$P_{\mathrm{dep}}(D)-P_{\mathrm{train}}(D)\le \mathrm{TV}$; if $P_{\mathrm{train}}\ge\varepsilon "
    r"P_{\mathrm{dep}}$ then $P_{\mathrm{dep}}(D)\le P_{\mathrm{train}}(D)/\varepsilon$. For any prior "
    r"$P(\mathrm{dep}|z)=1-P(\mathrm{train}|z)$. At equal priors the rule that says deployment where "
    r"$P(\mathrm{dep}|z)>1/2$ has accuracy $(1+\mathrm{TV})/2$, and no rule that says it on an event has more.",
    premises=(
        "inputs range over a finite space",
        "P_train and P_dep are distributions on it",
        "for the first sentence: f agrees with the base policy g on the training support, and defects at deployment "
        "with positive probability",
        "for the mixing bound: P_train >= eps P_dep, eps > 0",
        "for the posterior: z has positive probability",
    ),
    proof=r"The first part is the definition of $D_f$. Total variation is the greatest value of "
    r"$P_{\mathrm{dep}}(D)-P_{\mathrm{train}}(D)$, attained where $P_{\mathrm{dep}}>P_{\mathrm{train}}$, which is "
    r"where the posterior at equal priors exceeds $1/2$; a rule that says deployment on $D$ has accuracy "
    r"$\frac12(1+P_{\mathrm{dep}}(D)-P_{\mathrm{train}}(D))$. Sum the mixing premise over $D$.",
    limits="Universal for distributions on a finite space of inputs, of any size, and rules that say deployment on an "
    "event; not for other measures, or rules that toss coins.",
    obligations=(
        universal(
            "On any finite space: a model that agrees in training and defects at deployment detects without false "
            "alarm, and the bounds of total variation, mixing and Bayes hold",
            "c1_detector",
            "C1_detector",
            "C1_variation",
            "C1_mixing",
            "C1_posterior",
            "C1_bayes",
            "C1_threshold",
        ),
        Obligation(
            "C1.planted",
            "The planted deceptive net never differs from the imitator in training, does at deployment, and the bounds "
            "of total variation and Bayes hold in the world",
            Scope.INSTANCE,
            lambda: _detector(World(), agrees=True),
        ),
        Obligation(
            "C1.mixed",
            f"With deployment mixed into training at the rate {MIXING}, the mixing bound holds for the planted net",
            Scope.INSTANCE,
            lambda: _detector(World(mixing=MIXING), mixing=MIXING),
        ),
        Obligation(
            "C1.variation",
            f"On {POINTS} inputs no event separates deployment from training by more than total variation",
            Scope.BOUNDED,
            lambda: _variation_bound(Fraction(1)),
        ),
        Obligation(
            "C1.mixing",
            f"On {POINTS} inputs, P_train >= eps P_dep with any eps > 0 bounds every event's probability at deployment "
            "by 1/eps times that in training",
            Scope.BOUNDED,
            _mixing_bound,
        ),
        Obligation(
            "C1.posterior",
            "P(dep|z) = 1 - P(train|z) for two sources, any prior strictly between 0 and 1 and a z of positive "
            "probability",
            Scope.BOUNDED,
            _posterior,
        ),
        Obligation(
            "C1.bayes",
            f"On {POINTS} inputs, at equal priors, the posterior thresholded at 1/2 has accuracy (1+TV)/2 and no rule "
            "has more",
            Scope.BOUNDED,
            _bayes_optimal,
        ),
        Obligation(
            "C1.control",
            f"On {POINTS} inputs no event separates by more than {PART_OF_TV} of total variation",
            Scope.BOUNDED,
            lambda: _variation_bound(PART_OF_TV),
            Verdict.REFUTED,
        ),
    ),
)
