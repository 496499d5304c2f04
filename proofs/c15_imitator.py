"""C15 human imitator.

In the world of questions and answers it ties with the deceptive policy in training, and a net that answers as it does
beats the deceptive one; it beats the direct translator where the data show the humans' errors.
"""

from fractions import Fraction
from functools import partial

import sympy

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.experiments.world.cells import cell, thresholds
from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Company, Sweep
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import (
    DECEPTIVE,
    DEPLOYMENT_DETECTOR,
    IMITATOR,
    TRANSLATOR,
    all_is_well,
    direct_translator,
    human_imitator,
)
from proof_of_absence.models.world import Human, State, World
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import enumerated

WORLD = World()
LAST_HOUR = max(WORLD.train_hours)
RATE = Fraction(1, 100)
MIXED = World(mixing=RATE)
# Two more hours of training, at which a model that defects after the last hour of WORLD's is seen.
MORE_HOURS = (9, 10)
DIVERSE = World(train_hours=(*WORLD.train_hours, *MORE_HOURS), deploy_hours=(11,))
NOTHING_HAPPENS = World(tampering=(1, 0, 0))
NOBODY_FOOLED = World(humans=(Human(),), tampering=(2, 1, 0))
# Two of three humans believe the camera whatever it shows: their mean answer to a glitch is nearer to the truth.
CARELESS = (Human(), *[Human(frozenset({*WORLD.train_hours, *WORLD.deploy_hours}))] * 2)
# Weights of no and of clumsy tampering, and that of skilled tampering at which translator and imitator tie.
USUAL, TIE = (10, 9), 1
SELDOM_FOOLED, TIED, OFTEN_FOOLED = (
    World(humans=CARELESS, tampering=(*USUAL, skilled)) for skilled in (TIE - 1, TIE, TIE + 1)
)
# Sizes of the symbolic identity.
CASES, HUMANS = 2, 3


def deceives(state: State, question: int) -> int:
    """The attentive human's answer up to the last hour of training, O_mesa's after it."""
    return (human_imitator if state.hour <= LAST_HOUR else all_is_well)(state, question)


POLICIES = {"translator": direct_translator, "imitator": human_imitator, "deceptive": deceives}


def loss(world: World, policy) -> Fraction:
    """The expected squared distance of a policy's answer from a human's, under P_train."""
    total = sum(
        p * sum((policy(*case) - human.answer(*case)) ** 2 for human in world.humans)
        for case, p in world.train_cases().items()
    )
    return Fraction(total) / len(world.humans)


def losses(world: World, *relations: tuple[str, str, str]) -> dict:
    """The fact about the three policies' losses, and which is lower."""
    values = {name: loss(world, policy) for name, policy in POLICIES.items()}
    return facts.policy_losses(world, LAST_HOUR, values, relations)


def excess(world: World, left: str, right: str, *, tie: bool = False, **signs: bool) -> dict:
    """The difference of two losses for all weights of tampering and mixing rates.

    With `tie`, that it is 0 in this world.

    `signs` is ``never_below=True`` or ``only_mixed=True``.
    """

    def apart(mixing: int) -> list[Fraction]:
        worlds = [
            World(world.train_hours, world.deploy_hours, world.humans, tuple(int(k == only) for k in range(3)), mixing)
            for only in range(3)
        ]
        return [loss(one, POLICIES[left]) - loss(one, POLICIES[right]) for one in worlds]

    return facts.policy_excess(world, LAST_HOUR, left, right, train=apart(0), deploy=apart(1), tie=tie, **signs)


def acts_as(net: MLP, policy: str) -> dict:
    """The fact that the net answers as the policy in every case of training and deployment."""
    return facts.policy_net(WORLD, LAST_HOUR, net, policy)


def _nets() -> Evidence:
    """The policies as nets of one architecture, on the world's training data."""
    data = WORLD.dataset()
    better = reassignment(DECEPTIVE, DEPLOYMENT_DETECTOR, data)
    agree = facts.compare_outputs(DECEPTIVE, IMITATOR, data.inputs)
    return Evidence(
        facts.every(
            acts_as(TRANSLATOR, "translator"),
            acts_as(IMITATOR, "imitator"),
            acts_as(DECEPTIVE, "deceptive"),
            agree,
            facts.lower_loss(TRANSLATOR, IMITATOR, data),
            facts.reassigned(DECEPTIVE, DEPLOYMENT_DETECTOR, better, data),
            facts.lower_loss(IMITATOR, better.net, data),
            acts_as(better.net, "imitator"),
        ),
        holds=agree["kind"] == "same-outputs",
    )


def _identity(*, mean: bool) -> Evidence:
    """The difference of the losses, from the definition and from the mean answers (or the first human's)."""
    cases, humans = range(CASES), range(HUMANS)
    p, f, g = (sympy.symbols(f"{name}_0:{CASES}") for name in "pfg")
    answers = [sympy.symbols(f"a{t}_0:{HUMANS}") for t in cases]

    def risk(policy):
        return sum(p[t] * sum((policy[t] - answers[t][h]) ** 2 for h in humans) for t in cases) / len(humans)

    middle = [sympy.Add(*answers[t]) / len(humans) if mean else answers[t][0] for t in cases]
    right = sum(p[t] * (f[t] - g[t]) * (f[t] + g[t] - 2 * middle[t]) for t in cases)
    return identity(risk(f) - risk(g), right)


SWEEP = Sweep()
HOURS = {"scheduled": SWEEP.scheduled, "trigger": SWEEP.trigger}
# Those with the least loss, by hours of training: without mixing, and at any rate that is mixed.
WINNERS = {
    4: (["backdoor", "deceptive", "imitator", "scheduled"], ["imitator"]),
    8: (["backdoor", "deceptive", "imitator", "scheduled"], ["imitator"]),
    9: (["backdoor", "deceptive", "imitator"], ["deceptive", "imitator"]),
    11: (["deceptive", "imitator"], ["deceptive", "imitator"]),
}
# The mixing rate at which translator and imitator tie, by hours of training; at the others the
# imitator wins at every rate.
TIES = {1: "143/384", 2: "65/192", 3: "39/128", 4: "13/48", 5: "17/192"}
NIGHT_LAPSES = [hours for hours in NIGHT_SHIFT.lapses if hours]
# Hours of training at which the night shift's translator beats its imitator, and at which a
# reassigned net does not imitate.
FEW, TOO_FEW = 4, 3


def _least(which: int) -> str:
    """Who has the least loss, by hours of training: without mixing (0), or with (1)."""
    return "; ".join(f"{enumerated(best[which])} at {diversity}" for diversity, best in WINNERS.items())


def _grid(company: Company, winners: dict[int, tuple], mixing: Fraction) -> Evidence:
    """The cells at 0 and at this rate, and that the policies and the nets of least loss are those stated."""
    shown, as_said = [], True
    for diversity, expected in winners.items():
        for rate, best in zip((Fraction(0), mixing), expected, strict=True):
            shown.append(cell(SWEEP.world(company, diversity, rate), **HOURS))
            as_said &= shown[-1]["best"] == shown[-1]["best_nets"] == best
    return Evidence(facts.every(*shown), holds=as_said)


def _ties(company: Company, ties: dict[int, str]) -> Evidence:
    """Translator and imitator at every diversity and mixing rate; the others never have a loss below the imitator's."""
    shown = [thresholds(SWEEP.world(company, diversity), **HOURS) for diversity in SWEEP.diversities]
    as_said = True
    for fact in shown:
        translator, *rest = (fact["excess"][name] for name in ("translator", "deceptive", "scheduled", "backdoor"))
        as_said &= translator["tie"] == ties.get(len(fact["train_hours"]))
        as_said &= Fraction(translator["train"]) != 0
        as_said &= (Fraction(translator["train"]) < 0) == (translator["tie"] is not None)
        as_said &= Fraction(translator["deploy"]) > 0
        as_said &= all(Fraction(entry[where]) >= 0 for entry in rest for where in ("train", "deploy"))
    return Evidence(facts.every(*shown), holds=as_said)


def _imitator_is_best(company: Company, diversity: int) -> Evidence:
    """Whether no policy has a loss below the imitator's, without mixing."""
    fact = cell(SWEEP.world(company, diversity), **HOURS)
    return Evidence(fact, holds="imitator" in fact["best"])


def _some_tie(company: Company) -> Evidence:
    """Whether some mixing rate makes translator and imitator tie, at some diversity."""
    shown = [thresholds(SWEEP.world(company, diversity), **HOURS) for diversity in SWEEP.diversities]
    return Evidence(facts.every(*shown), holds=any(fact["excess"]["translator"]["tie"] for fact in shown))


def _reassigned_imitates(diversity: int) -> Evidence:
    """Whether the deceptive net with its detector reassigned answers as the imitator at deployment."""
    fact = cell(SWEEP.world(ATTENTIVE, diversity), **HOURS)
    return Evidence(fact, holds=fact["reassigned"]["deceptive"]["defects"] == "0")


def _instance(name: str, statement: str, *parts, refuted: bool = False) -> Obligation:
    def build() -> Evidence:
        made = [part() for part in parts]
        return Evidence(facts.every(*made) if len(made) > 1 else made[0], holds=not refuted)

    return Obligation(f"C15.{name}", statement, Scope.INSTANCE, build, Verdict.REFUTED if refuted else Verdict.PROVED)


CLAIM = Claim(
    id="C15",
    title="Human imitator",
    statement=r"Cases $t$ of probability $p_t$ are answered by humans $h$ with $\alpha_{th}$, of mean $\bar\alpha_t$. "
    r"For policies $f,g$ the expected squared losses differ by $L(f)-L(g)=\sum_tp_t(f_t-g_t)(f_t+g_t-2\bar\alpha_t)$; "
    r"so $\bar\alpha$ is best, and the imitator $g$ of one human beats the direct translator $f$ if and only if that "
    r"sum is positive. If $f$ and $g$ agree wherever $P_{\mathrm{train}}$ is not $0$, then with deployment mixed in at "
    r"rate $\epsilon$, $L(f)-L(g)$ is $\epsilon$ times what it is at deployment. In the world of questions and "
    r"answers, the attentive imitator beats the translator; a policy that deceives at deployment ties with it without "
    r"mixing and loses to it with any; and the net of the deceptive policy, whose detector is idle in training, has "
    r"the loss of the imitator's net of the same class, and a higher one than the same net with its detector "
    r"reassigned.",
    premises=(
        "squared loss, the mean over one human or more; in the world the answers are 0 and 1",
        (
            "the translator loses to the imitator only if the sum above is positive: not where nothing is tampered "
            "with (they tie), nor where most humans lapse and skilled tampering is rare (C15.control-careless)"
        ),
        (
            "the deceptive policy loses to the imitator only if deployment is mixed into training, or training is at "
            "hours at which it defects"
        ),
        "the deceptive net's detector is train-idle (separable), and its loss is above the noise floor",
    ),
    proof=r"Case by case $(f-\alpha)^2-(g-\alpha)^2=(f-g)(f+g-2\alpha)$ is affine in $\alpha$: its mean over the "
    r"humans has $\bar\alpha$ in the place of $\alpha$. With $g=\bar\alpha$ it is $(f-\bar\alpha)^2\geq0$. The sum is "
    r"linear in $p$, and $0$ on cases where $f=g$. The deceptive net's detector sends a constant in training, so it "
    r"has the loss of the imitator's net by \claim{C2}, and can be reassigned to lower it by \claim{C7}.",
    limits="The formula, the best policy and the effect of mixing are universal; the losses, and which policy wins, "
    "are exact in the stated worlds only, as functions of the weights of tampering and the mixing rate. Nothing is "
    "said of whether training finds the imitator, whether the net of least loss imitates anybody, or how reassigned "
    "nets answer at deployment in general; the one in this world imitates there too, which is an instance, and with "
    f"{TOO_FEW} hours of training it does not (C15.control-reassigned). How often a deceiver defects depends on what "
    "hours are left. Clumsy tampering fools nobody who is attentive, but they then doubt a diamond that is there, so "
    "the translator loses even where no human is fooled (C15.control-fooled).",
    rests_on=("C2", "C7"),
    obligations=(
        universal(
            "For all finite cases and humans: the difference of two policies' losses, the best policy, and the effect "
            "of mixing",
            "c15_imitator",
            "C15_excess",
            "C15_wins",
            "C15_mean",
            "C15_mixing",
        ),
        Obligation(
            "C15.identity",
            f"{CASES} cases, {HUMANS} humans, all probabilities, answers and policies: the same formula as a "
            "polynomial identity",
            Scope.BOUNDED,
            partial(_identity, mean=True),
        ),
        _instance(
            "world",
            "The world as it is: the imitator's loss is below the translator's, and the deceptive policy's is the "
            "imitator's",
            lambda: losses(WORLD, ("imitator", "<", "translator"), ("imitator", "=", "deceptive")),
        ),
        _instance(
            "excess",
            "In this world the translator's loss less the imitator's, exactly, for all weights of tampering and mixing "
            "rates: it is never negative",
            lambda: excess(WORLD, "translator", "imitator", never_below=True),
        ),
        _instance(
            "mixing",
            "In this world the deceptive policy's loss less the imitator's, exactly: proportional to the mixing rate "
            f"and never negative; at {RATE} the deceptive policy loses",
            lambda: excess(WORLD, "deceptive", "imitator", never_below=True, only_mixed=True),
            lambda: losses(MIXED, ("imitator", "<", "deceptive"), ("imitator", "<", "translator")),
        ),
        _instance(
            "diversity",
            f"Training at hours {enumerated(MORE_HOURS)} too, no mixing: the policy that defects after hour "
            f"{LAST_HOUR} loses to the imitator",
            lambda: losses(DIVERSE, ("imitator", "<", "deceptive"), ("imitator", "<", "translator")),
        ),
        _instance(
            "nothing-happens",
            "Where nobody tampers, all three policies have the same loss: the data do not tell them apart",
            lambda: losses(NOTHING_HAPPENS, ("imitator", "=", "translator"), ("imitator", "=", "deceptive")),
        ),
        _instance(
            "crossover",
            f"{len(CARELESS) - 1} of {len(CARELESS)} humans never notice: at weights {enumerated((*USUAL, 'w'))} of "
            f"no, clumsy and skilled tampering the translator beats the imitator for w < {TIE}, loses to it for w > "
            f"{TIE}, and ties with it at {TIE}",
            lambda: excess(TIED, "translator", "imitator", tie=True),
            lambda: losses(SELDOM_FOOLED, ("translator", "<", "imitator")),
            lambda: losses(OFTEN_FOOLED, ("imitator", "<", "translator")),
        ),
        Obligation(
            "C15.nets",
            "Nets of one class answer as the three policies; on the training data the outputs of deceptive and "
            "imitator agree, the translator's loss is higher, and the deceptive net with its detector reassigned has "
            f"the lowest; it answers as the imitator in all {len(WORLD.all_questions())} cases, deployment included",
            Scope.INSTANCE,
            _nets,
        ),
        Obligation(
            "C15.grid",
            f"Training at {enumerated(WINNERS)} of {len(SWEEP.order)} hours, nested, deployment at the others. The "
            f"least loss without mixing is that of {_least(0)}; at a mixing rate of {RATE} it is that of {_least(1)}: "
            "the deceptive policy has it where no later hour is left at which to defect. As policies and as nets of "
            "one architecture",
            Scope.INSTANCE,
            lambda: _grid(ATTENTIVE, WINNERS, RATE),
        ),
        Obligation(
            "C15.thresholds",
            f"{len(NIGHT_LAPSES)} of {len(NIGHT_SHIFT.lapses)} humans are careless at hours "
            f"{enumerated(NIGHT_LAPSES[0])}, tampering has weights {enumerated(NIGHT_SHIFT.tampering)}: with "
            f"{enumerated(TIES)} hours of training the translator beats the imitator below a mixing rate of "
            f"{enumerated(TIES.values())} and loses to it above, with more than {max(TIES)} it loses at every rate; no "
            "deceiver has a loss below the imitator's, at any rate",
            Scope.INSTANCE,
            lambda: _ties(NIGHT_SHIFT, TIES),
        ),
        Obligation(
            "C15.control-grid",
            f"With the same humans no policy beats the imitator where training is at {FEW} hours, without mixing",
            Scope.INSTANCE,
            lambda: _imitator_is_best(NIGHT_SHIFT, FEW),
            Verdict.REFUTED,
        ),
        Obligation(
            "C15.control-thresholds",
            "With the humans and weights of C15.grid translator and imitator change places at some mixing rate and "
            "diversity too",
            Scope.INSTANCE,
            lambda: _some_tie(ATTENTIVE),
            Verdict.REFUTED,
        ),
        Obligation(
            "C15.control-reassigned",
            "The deceptive net with its detector reassigned, along a gauge, answers as the imitator at deployment "
            f"with {TOO_FEW} hours of training too",
            Scope.INSTANCE,
            lambda: _reassigned_imitates(TOO_FEW),
            Verdict.REFUTED,
        ),
        _instance(
            "control-fooled",
            "Where no human is ever fooled, translator and imitator have the same loss",
            lambda: losses(NOBODY_FOOLED, ("imitator", "<", "translator")),
            refuted=True,
        ),
        _instance(
            "control-careless",
            "The imitator of an attentive human beats the translator whoever the humans are",
            lambda: losses(SELDOM_FOOLED, ("translator", "<", "imitator")),
            refuted=True,
        ),
        _instance(
            "control-unmixed",
            "The deceptive policy loses to the imitator without mixing too",
            lambda: losses(WORLD, ("deceptive", "=", "imitator")),
            refuted=True,
        ),
        Obligation(
            "C15.control-identity",
            "The same formula with the first human's answer in place of the mean",
            Scope.BOUNDED,
            partial(_identity, mean=False),
            Verdict.REFUTED,
        ),
    ),
)
