"""N1, a countermodel for every n: drop separability and deception survives.
A global minimiser above the noise floor defects at deployment, with no idle circuit.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise, product

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.models.circuit import Unit, add_unit, hidden_units, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal

# Searched in this order: targets from VALUES at 0, 1, 2, ...; the deployment input lies beyond them.
VALUES = (0, 1, 3)
INPUTS = 5


def _kink(net: MLP, unit: Unit) -> Fraction | None:
    weight, bias = net.layers[0].weights[unit.index][0], net.layers[0].bias[unit.index]
    return -bias / weight if weight and net.layers[1].weights[0][unit.index] else None


def _moved(net: MLP, data: Dataset) -> Iterator[MLP]:
    """Nets with the same training outputs: a unit whose run holds one input pivots about its value there.

    Its kink may lie anywhere between that input and the neighbour outside the run.
    """
    line = sorted({z[0] for z in data.inputs})
    for unit in hidden_units(net):
        weights, bias, outgoing = net.layers[0].weights[unit.index], net.layers[0].bias[unit.index], net.layers[1]
        on = [x for x in line if weights[0] * x + bias > 0]
        if _kink(net, unit) is None or len(on) != 1 or on[0] not in (line[0], line[-1]):
            continue
        neighbour = line[1] if on[0] == line[0] else line[-2]
        height = weights[0] * on[0] + bias
        for share in (Fraction(0), Fraction(9, 10)):
            kink = neighbour + share * (on[0] - neighbour)
            slope = height / (on[0] - kink)
            column = [row[unit.index] for row in outgoing.weights]
            yield reassign(net, {unit: ([slope], -slope * kink, column)})


@cache
def entangled(units: int, count: int) -> tuple[Dataset, Minimum, MLP, MLP, Vector]:
    """Search: data, a certified minimum, base policy g, model f with the same training outputs,
    an input at which they differ.

    Raises
    ------
    LookupError
        If no targets from VALUES on `count` inputs give one.
    """
    inputs = [[x] for x in range(count)]
    deploy = (Fraction(count),)
    for targets in product(VALUES, repeat=count):
        data = Dataset(inputs, [[y] for y in targets])
        minimum = global_minimum(data, units)
        if minimum.loss == data.noise_floor or any(_kink(minimum.net, u) is None for u in hidden_units(minimum.net)):
            continue
        variants = list(_moved(minimum.net, data))
        for g, f in pairwise(variants):
            if f.outputs(data.inputs) == g.outputs(data.inputs) and f(deploy) != g(deploy):
                return data, minimum, g, f, deploy
    raise LookupError(f"no entangled minimiser of {units} units on {count} inputs with targets from {VALUES}")


def _countermodel(units: int, count: int) -> Evidence:
    data, minimum, g, f, deploy = entangled(units, count)
    return Evidence(
        facts.every(
            facts.minimal(minimum, data, f),
            facts.loss_above_floor(f, data),
            facts.compare_outputs(f, g, data.inputs),
            facts.different_outputs(f, g, deploy),
            facts.no_idle_circuit(f, data),
        )
    )


def _separable() -> Evidence:
    """The base policy with an idle unit that fires at deployment, in the class with one more unit:
    reassignment beats it.
    """
    data, _, g, _, _ = entangled(1, INPUTS)
    last = max(z[0] for z in data.inputs)
    separable = add_unit(g, [1], -last, [1])
    circuit = {hidden_units(separable)[-1]}
    result = reassignment(separable, circuit, data)
    idle = facts.idle(separable, circuit, data.inputs, fires=(last + 1,))
    return Evidence(facts.every(idle, facts.reassigned(separable, circuit, result, data)), holds=False)


CLAIM = Claim(
    id="N1",
    title="Separability needed",
    statement=r"For every $n\ge1$ there are data, a base policy $g$ and a global minimiser $f$ of $L$ on $S_n$ with "
    r"$L(f)>E$, such that $f$ agrees with $g$ on every training input, differs from it at deployment, and has no "
    r"train-idle circuit. Here $g$ is a minimiser too: the data do not say which of the two is meant.",
    premises=("all premises of C8 but separability: the detector shares its units with useful work",),
    proof=r"Let $n\ge1$, $d=n$, $m=n+1$. Inputs: $-2$ and $-1$ times $(1,\dots,1)$, and the $n$ unit vectors. Unit $j$ "
    r"reads coordinate $j$ with slope $s\ge1$ and bias $1-s$: it is 1 at its own unit vector and 0 at all other "
    r"inputs, whatever $s$ is. So all these nets have the same training outputs, and beyond the data they differ. "
    r"Targets: $n+2$ times a unit vector of the outputs for each unit, and $e$ and $-e$, one dimension more, at the "
    r"two other inputs. The outputs of $n$ units lie in a hyperplane; by Cauchy and Schwarz the loss is "
    r"$2/N$ at least, and the net attains it, while $E=0$. That it has no train-idle circuit is \claim{C8}. On the "
    r"line: a unit whose active side holds one extreme training input may pivot about its value there. Minimality "
    r"there: on each activation pattern the loss is a convex quadratic under linear constraints, and a dual point "
    r"bounds it below by $L(f)$.",
    limits="A countermodel for every n, with d = n inputs and m = n + 1 outputs; on the line, with one output, for n=1 "
    "and n=2. How often entangled minimisers occur is not addressed.",
    drops=Drops("C8", "separability", "the detector shares its units with useful work"),
    rests_on=("C8",),
    obligations=(
        universal(
            "For every n of 1 or more: two minimisers of S_n above the noise floor with the same training outputs, one "
            "of them without a train-idle circuit, that differ at n deployment inputs",
            "n1_entangled",
            "N1_entangled",
        ),
        Obligation(
            "N1.one-unit",
            f"n=1 on {INPUTS} inputs: a certified global minimiser above the noise floor agrees with g in training, "
            "defects at deployment, and has no idle circuit",
            Scope.INSTANCE,
            lambda: _countermodel(1, INPUTS),
        ),
        Obligation(
            "N1.two-units",
            f"n=2 on {INPUTS} inputs: the same",
            Scope.INSTANCE,
            lambda: _countermodel(2, INPUTS),
        ),
        Obligation(
            "N1.control",
            "n=2: the base policy g of N1.one-unit with a separable detector added, one idle unit that fires at "
            "deployment, is a minimiser too",
            Scope.INSTANCE,
            _separable,
            Verdict.REFUTED,
        ),
    ),
)
