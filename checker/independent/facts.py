"""One function for each kind of fact: it recomputes the fact from its data and refuses what is not so.

A fact is a JSON object; `kind` selects the function. Nothing is taken from the certificate that can be computed.
"""

from fractions import Fraction
from itertools import combinations

from proof_of_absence.checker.independent.coq import check_sources
from proof_of_absence.checker.independent.kinds.convex import convex_training, decay_drop
from proof_of_absence.checker.independent.kinds.cross_entropy import cross_entropy_drop, cross_entropy_floor
from proof_of_absence.checker.independent.kinds.gap import rent, uniform_gap
from proof_of_absence.checker.independent.kinds.geometry import dependency, full_rank, inside_hull, outside_hull
from proof_of_absence.checker.independent.kinds.logistic import logistic_drop, logistic_floor, logistic_group
from proof_of_absence.checker.independent.kinds.minima import best_line, least_in_class, line_bound
from proof_of_absence.checker.independent.kinds.minimum import global_minimum
from proof_of_absence.checker.independent.kinds.posterior import crossover, posterior
from proof_of_absence.checker.independent.kinds.prices import world_price
from proof_of_absence.checker.independent.kinds.region import irrelevant_region, relevant_at
from proof_of_absence.checker.independent.kinds.relations import hold
from proof_of_absence.checker.independent.kinds.ridge import ridge
from proof_of_absence.checker.independent.kinds.scaling import scaling_tax, scaling_threshold
from proof_of_absence.checker.independent.kinds.sweep import world_cell, world_sizes, world_thresholds
from proof_of_absence.checker.independent.kinds.training import gradient_steps
from proof_of_absence.checker.independent.kinds.whole import world_bounds
from proof_of_absence.checker.independent.kinds.world import policy_excess, policy_losses, policy_net
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results.census import class_census
from proof_of_absence.checker.independent.sexpr import Script, expand, parse
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, number, numbers, rows


def every(fact: dict) -> None:
    """Several facts together, and how the numbers compare that they state."""
    require(bool(fact["facts"]), "no fact at all")
    for part in fact["facts"]:
        check_fact(part)
    hold(fact.get("compared", []), fact["facts"])


def same_outputs(fact: dict) -> None:
    """Two nets agree at every listed input."""
    left, right = Net(fact["left"]), Net(fact["right"])
    for z in rows(fact["inputs"]):
        require(left.output(z) == right.output(z), f"the nets differ at {[str(v) for v in z]}")


def different_outputs(fact: dict) -> None:
    """Two nets differ at the given input."""
    z = numbers(fact["input"])
    require(Net(fact["left"]).output(z) != Net(fact["right"]).output(z), "the nets agree there")


def idle(fact: dict) -> None:
    """What the circuit sends is the same at every listed input; with `fires`, it differs there."""
    net = Net(fact["net"])
    units = circuit(net, fact["circuit"])
    sent = net.idle_value(units, rows(fact["inputs"]))
    if "fires" in fact:
        require(net.sent(units, numbers(fact["fires"])) != sent, "the circuit does not fire there")


def not_idle(fact: dict) -> None:
    """The circuit sends different values at two of the inputs."""
    net = Net(fact["net"])
    units = circuit(net, fact["circuit"])
    sent = [net.sent(units, z) for z in rows(fact["inputs"])]
    require(any(values != sent[0] for values in sent), "the circuit is idle")


def no_idle_circuit(fact: dict) -> None:
    """No nonempty set of hidden units is idle on the inputs (every set is tried)."""
    net, inputs = Net(fact["net"]), rows(fact["inputs"])
    require(len(net.layers) == 2 and net.widths[1] <= 12, "too many units to try every circuit")
    for size in range(1, net.widths[1] + 1):
        for chosen in combinations(range(net.widths[1]), size):
            units = {(1, j) for j in chosen}
            sent = [net.sent(units, z) for z in inputs]
            require(any(values != sent[0] for values in sent), f"units {chosen} are idle")


def smaller_class(fact: dict) -> None:
    """Two nets agree on the inputs, and the right one has fewer hidden units, all else equal."""
    left, right = Net(fact["left"]).widths, Net(fact["right"]).widths
    require(len(left) == len(right) and left[0] == right[0] and left[-1] == right[-1], "the classes differ")
    require(left[1:-1] != right[1:-1] and all(a >= b for a, b in zip(left, right, strict=True)), "not smaller")
    same_outputs(fact)


def lower_loss(fact: dict) -> None:
    """`after` has a loss lower than `before` by exactly `drop`.

    With `circuit`, the two differ only in that circuit's parameters and in the biases that read from it;
    with `wider`, `after` has more hidden units.
    """
    before, after, data = Net(fact["before"]), Net(fact["after"]), Data(fact["data"])
    if "circuit" in fact:
        require(before.widths == after.widths, "the architectures differ")
        differ_only_in(before, after, circuit(before, fact["circuit"]))
    elif fact.get("wider"):
        same = before.widths[0] == after.widths[0] and before.widths[-1] == after.widths[-1]
        require(same and len(before.widths) == len(after.widths) == 3, "the classes differ")
        require(after.widths[1] > before.widths[1], "not wider")
    else:
        require(before.widths == after.widths, "the architectures differ")
    drop = (data.error(before) - data.error(after)) / len(data.inputs)
    require(drop > 0, "the loss is not lower")
    require(drop == number(fact["drop"]), "the loss drops by another amount")


def loss_above_floor(fact: dict) -> None:
    """The net's loss is the stated one, above the noise floor, and the group residuals account for it."""
    net, data = Net(fact["net"]), Data(fact["data"])
    error, floor = data.error(net), data.floor()
    require(error == number(fact["loss"]) * len(data.inputs), "the loss is another")
    require(floor == number(fact["noise_floor"]) * len(data.inputs), "the noise floor is another")
    require(error > floor, "the loss is at the noise floor")
    require(error - floor == _excess(net, data), "the group residuals do not account for the loss")


def loss_at_floor(fact: dict) -> None:
    """The net's loss is the noise floor, so every group residual is zero and no net does better.

    With ``positive``, the loss is not zero all the same.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    require(data.error(net) == data.floor() and _excess(net, data) == 0, "the loss is above the noise floor")
    require(not fact.get("positive") or data.floor() > 0, "the loss is zero")


def _excess(net: Net, data: Data) -> Fraction:
    return sum(
        (nu * (a - b) ** 2 for z, (nu, mean) in data.means().items()
         for a, b in zip(mean, net.output(list(z)), strict=True)),
        Fraction(0),
    )  # fmt: skip


def zero_one_loss(fact: dict) -> None:
    """At so many of the inputs as stated the net's one output is on the wrong side: positive where it is not to be, or not where it is."""
    net, inputs, sides = Net(fact["net"]), rows(fact["inputs"]), fact["sides"]
    require(net.widths[-1] == 1, "not one output")
    require(len(sides) == len(inputs) and all(isinstance(side, bool) for side in sides), "not a side for each input")
    wrong = sum((net.output(z)[0] > 0) != side for z, side in zip(inputs, sides, strict=True))
    require(type(fact["wrong"]) is int and wrong == fact["wrong"], "another number of rows is wrong")


def separating_unit(fact: dict) -> None:
    """sum_i r_i relu(w . z_i + b) has the stated value, which is not zero."""
    inputs, residuals = rows(fact["inputs"]), numbers(fact["residuals"])
    w, b = numbers(fact["weights"]), number(fact["bias"])
    total = Fraction(0)
    for z, r in zip(inputs, residuals, strict=True):
        pre = sum((x * y for x, y in zip(w, z, strict=True)), b)
        total += r * max(pre, Fraction(0))
    require(total == number(fact["inner_product"]) != 0, "the unit does not separate")


def nothing_separates(fact: dict) -> None:
    """The residuals are not all zero, but sum to zero at each distinct input: no function of the input separates."""
    sums: dict[tuple, Fraction] = {}
    residuals = numbers(fact["residuals"])
    for z, r in zip(rows(fact["inputs"]), residuals, strict=True):
        sums[tuple(z)] = sums.get(tuple(z), Fraction(0)) + r
    require(any(residuals) and not any(sums.values()), "some function separates, or all residuals are zero")


def identity(fact: dict) -> None:
    """Two polynomials over Q are equal, coefficient by coefficient."""
    left, right = _polynomials(fact)
    require(left == right, "the polynomials differ")


def no_identity(fact: dict) -> None:
    """Two polynomials over Q differ."""
    left, right = _polynomials(fact)
    require(left != right, "the polynomials are equal")


def _polynomials(fact: dict):
    pair = [parse(fact[side]) for side in ("left", "right")]
    require(all(len(terms) == 1 for terms in pair), "each side is one term")
    return [expand(terms[0]) for terms in pair]


def detector(fact: dict) -> None:
    """The event that `model` and `base` differ: its probability in training and in deployment, against total variation.

    With ``agrees``, it has probability 0 in training; with ``mixing`` eps, P_train >= eps P_dep and the bound P_train/eps holds.
    """
    model, base = Net(fact["model"]), Net(fact["base"])
    train, deploy = _distribution(fact["train"]), _distribution(fact["deploy"])
    support = {*train, *deploy}
    event = {z for z in support if model.output(list(z)) != base.output(list(z))}
    p_train = sum((train.get(z, Fraction(0)) for z in event), Fraction(0))
    p_deploy = sum((deploy.get(z, Fraction(0)) for z in event), Fraction(0))
    gaps = [deploy.get(z, Fraction(0)) - train.get(z, Fraction(0)) for z in support]
    variation = sum(map(abs, gaps), Fraction(0)) / 2
    stated = [number(fact[key]) for key in ("p_train", "p_deploy", "total_variation")]
    require(stated == [p_train, p_deploy, variation], "a probability is another")
    require(p_deploy - p_train <= variation, "the event separates better than total variation")
    require(not fact.get("agrees") or p_train == 0 < p_deploy, "the model defects in training, or never")
    best = sum((max(train.get(z, Fraction(0)), deploy.get(z, Fraction(0))) for z in support), Fraction(0)) / 2
    require(best == (1 + variation) / 2, "the posterior's accuracy is another")
    if "mixing" in fact:
        rate = number(fact["mixing"])
        require(rate > 0 and all(train.get(z, 0) >= rate * p for z, p in deploy.items()), "not mixed at that rate")
        require(p_deploy <= p_train / rate, "the mixing bound fails")


def _distribution(table) -> dict[tuple, Fraction]:
    result = {tuple(numbers(z)): number(p) for z, p in table}
    require(len(result) == len(table), "an input is listed twice")
    require(all(p > 0 for p in result.values()) and sum(result.values()) == 1, "not a probability distribution")
    return result


def smt(fact: dict) -> None:
    """What can be checked of an SMT answer without a solver: witnesses, by exact evaluation.

    That an unsat script is unsat is for `solve.confirm_unsat`.
    """
    script = Script(fact["script"])
    form, answer = fact["deciding"], fact["answer"]
    require(form in ("claim_fails", "claim_holds"), "the script decides nothing")
    require(form in script.definitions and script.assertions[-1:] == [form], f"the script does not assert {form}")
    premises = script.assertions[:-1]
    if answer == "sat":
        require(script.holds(script.assertions, _values(fact["witness"])), "the witness does not satisfy the script")
    elif answer == "unsat":
        # A universal statement whose premises nothing satisfies would be proved of nothing.
        if form == "claim_fails":
            require(script.holds(premises, _values(fact["premises_witness"])), "the premises' witness fails")
    else:
        raise Refused(f"answer {answer!r} decides nothing")


def _values(witness: dict) -> dict:
    return {name: value if isinstance(value, bool) else number(value) for name, value in witness.items()}


KINDS = {
    "all": every,
    "best-line": best_line,
    "class-census": class_census,
    "convex-training": convex_training,
    "coq": check_sources,
    "cross-entropy-drop": cross_entropy_drop,
    "cross-entropy-floor": cross_entropy_floor,
    "crossover": crossover,
    "decay-drop": decay_drop,
    "dependency": dependency,
    "detector": detector,
    "different-outputs": different_outputs,
    "full-rank": full_rank,
    "global-minimum": global_minimum,
    "gradient-steps": gradient_steps,
    "identity": identity,
    "idle": idle,
    "inside-hull": inside_hull,
    "irrelevant-region": irrelevant_region,
    "least-in-class": least_in_class,
    "line-bound": line_bound,
    "logistic-drop": logistic_drop,
    "logistic-floor": logistic_floor,
    "logistic-group": logistic_group,
    "loss-above-floor": loss_above_floor,
    "loss-at-floor": loss_at_floor,
    "lower-loss": lower_loss,
    "no-identity": no_identity,
    "no-idle-circuit": no_idle_circuit,
    "not-idle": not_idle,
    "nothing-separates": nothing_separates,
    "outside-hull": outside_hull,
    "policy-excess": policy_excess,
    "policy-losses": policy_losses,
    "policy-net": policy_net,
    "posterior": posterior,
    "relevant-at": relevant_at,
    "rent": rent,
    "ridge": ridge,
    "same-outputs": same_outputs,
    "scaling-tax": scaling_tax,
    "scaling-threshold": scaling_threshold,
    "separating-unit": separating_unit,
    "smaller-class": smaller_class,
    "smt": smt,
    "uniform-gap": uniform_gap,
    "world-bounds": world_bounds,
    "world-cell": world_cell,
    "world-price": world_price,
    "world-sizes": world_sizes,
    "world-thresholds": world_thresholds,
    "zero-one-loss": zero_one_loss,
}


# What these say is seen by a solver, or by Coq's kernel, and not here: they are no part of another fact.
CONFIRMED = ("coq", "smt")


def check_fact(fact: dict, *, confirmed: bool = False) -> None:
    """Refuse the fact unless it is so; with `confirmed`, the caller puts scripts and theorems to a solver or the kernel.

    Raises
    ------
    Refused
        With the reason; a malformed fact is refused too.
    """
    kind = fact.get("kind") if isinstance(fact, dict) else None
    require(isinstance(kind, str) and kind in KINDS, "no known kind of fact")
    require(confirmed or kind not in CONFIRMED, f"{kind} must be a certificate of its own: nothing here confirms it")
    try:
        KINDS[kind](fact)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise Refused(f"malformed {kind}: {type(error).__name__}: {error}") from error
