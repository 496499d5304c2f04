"""The parts of an audit's report about units and losses: each number is the one that a fact certifies."""

from collections.abc import Callable
from fractions import Fraction

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import number
from proof_of_absence.checker.independent.values.reported import Bounds, bounds, exact, rational, require_same

SQUARED, CROSS_ENTROPY = "mean squared error", "cross-entropy of the softmax"
# Of a net of one output the facts about the cross-entropy are about this one.
LOGISTIC = "logistic loss of one output"
# For each loss the kinds of the facts about the loss, a lower one, and rents.
KINDS = {
    SQUARED: ("training-loss", "lower-training-loss", "unit-rents"),
    CROSS_ENTROPY: ("training-cross-entropy", "lower-training-cross-entropy", "cross-entropy-rents"),
}
KINDS[LOGISTIC] = KINDS[CROSS_ENTROPY]
Explained = Callable[..., bool]


def check_losses(report: Fact, facts: list[Fact], subject: Subject, unseen: list[str], explained: Explained) -> None:
    """Refuse a report whose units, losses, improvement, prices or float32 deviation are not those of the facts.

    What the facts do not settle is added to `unseen`; `explained` tells whether the report calls a stage undecided.
    """
    name = report["data"]["loss_name"]
    require((name == "") == (subject.targets is None), "the loss: named without targets, or not named with them")
    require(name == "" or name in KINDS, f"the loss: {name!r} is none that is known")
    fits = name not in (CROSS_ENTROPY, LOGISTIC) or (name == LOGISTIC) == (subject.net.widths[-1] == 1)
    require(fits, f"the loss: {name!r} is not that of {subject.net.widths[-1]} outputs")
    own = KINDS.get(name, ())
    for kinds in KINDS.values():
        for kind in kinds:
            require(kind in own or not _of(facts, kind), f"the loss: a fact is about another one, {kind}")
    loss, better, rents = (_one(facts, kind) for kind in own) if own else (None, None, None)
    _data(report, loss, explained)
    _units(report, facts, rents)
    _improvement(report, better, loss, unseen, explained, len(subject.net.layers) - 1)
    _prices(report, _one(facts, "uniform-gap"))
    deviation, bound = _one(facts, "float32-deviation"), report["float32_deviation"]
    require(bound is not None or deviation is None, "float32_deviation: missing, and a fact is about it")
    if bound is not None:
        require(deviation is not None, "no fact shows the float32 deviation")
        require_equal("the float32 deviation", exact(bound), number(deviation["bound"]) if deviation else None)
    if bound is None and report["net"]["dtype"] == "float32":
        unseen.append("how far float32 is from the exact net")


def _of(facts: list[Fact], kind: str) -> list[Fact]:
    return [fact for fact in facts if fact["kind"] == kind]


def _one(facts: list[Fact], kind: str) -> Fact | None:
    found = _of(facts, kind)
    require(len(found) <= 1, f"two facts of kind {kind}")
    return found[0] if found else None


def _bounds(texts: list[object]) -> Bounds:
    low, high = (number(text) for text in texts)
    return low, high


def _data(report: Fact, fact: Fact | None, explained: Explained) -> None:
    for key, words in (("loss", "the loss"), ("noise_floor", "the noise floor")):
        stated = report["data"][key]
        require((stated is None) == (fact is None), f"{words}: stated without a fact, or not stated with one")
        if fact is not None:
            require_equal(words, bounds(stated), _bounds(fact[key]))
    asked = report["data"]["loss_name"] != ""
    require(fact is not None or not asked or explained("losses"), "the loss: missing, and no word on why")


def _units(report: Fact, facts: list[Fact], rents: Fact | None) -> None:
    paid = {entry["unit"]: entry for entry in rents["units"]} if rents else {}
    layers = sorted(_of(facts, "units"), key=lambda fact: fact["layer"])
    stated = iter(report["units"])
    replacements = report["replacements"]
    used: list[int] = []
    for fact in layers:
        for j, activity in enumerate(fact["activity"]):
            name, entry = f"unit {fact['layer']}.{j}", next(stated, None)
            if entry is None:
                raise Refused(f"{name} is missing")
            own = {"unit": [fact["layer"], j], "activity": activity, "idle": fact["idle"][j]}
            own |= {"witness": fact["witness"][j]}
            left = {key: value for key, value in entry.items() if key not in PAID}
            require_same(name, left, own)
            require(set(entry) == PAID | set(own), f"{name}: parts are missing or unknown")
            found = paid.get(j) if fact is layers[-1] else None
            free = bool(rents) and found is None and fact is layers[-1] and fact["idle"][j]
            _rent(name, entry, found, free=free and rents is not None and rents["kind"] == KINDS[CROSS_ENTROPY][2])
            if entry["replacement"] is not None:
                used.append(entry["replacement"])
                trial = replacements[entry["replacement"]]
                require_equal(f"the replacement of {name}", trial, _trial(rents, found))
            else:
                require(found is None or "trial" not in found, f"the replacement of {name} is missing")
    require(next(stated, None) is None, "a unit that the net has not")
    require_equal("the replacements", len(replacements), len(set(used)))


PAID = {"rent", "replacement_gain", "replacement", "by_class"}


def _rent(name: str, entry: Fact, found: Fact | None, *, free: bool) -> None:
    """The rent and the gain of a unit; `free` is an idle one, whose rent is 0 without a fact."""
    for key, words, part in (("rent", "the rent", "rent"), ("replacement_gain", "the replacement gain", "gain")):
        own = _bounds(found[part]) if found and part in found else None
        if free and key == "rent":
            own = Fraction(0), Fraction(0)
        stated = None if entry[key] is None else bounds(entry[key])
        require_equal(f"{words} of {name}", stated, own)
    parts = [_bounds(part) for part in found["classes"]] if found and "classes" in found else None
    told = None if entry["by_class"] is None else [bounds(part) for part in entry["by_class"]]
    require_equal(f"the rent of {name} by class", told, parts)


def _trial(rents: Fact | None, found: Fact | None) -> object:
    if rents is None or found is None or "trial" not in found:
        return None
    return rents["trials"][found["trial"]]


def _improvement(
    report: Fact, fact: Fact | None, loss: Fact | None, unseen: list[str], explained: Explained, last: int
) -> None:
    stated = report["improvement"]
    require((stated is None) == (fact is None), "the improvement: stated without a fact, or not stated with one")
    if stated is None or fact is None:
        asked = report["data"]["loss_name"] != "" and report["circuits"] != []
        floor = loss is not None and _bounds(loss["loss"])[0] <= _bounds(loss["noise_floor"])[1]
        words = "the improvement: there is none, and no word on why"
        require(not asked or floor or explained("improvement", "losses"), words)
        return
    own = {"circuit": [[last, j] for j in fact["circuit"]]} | {
        key: fact[key] for key in ("weights", "outgoing", "output_bias")
    }
    rest = {"bias", "loss_before", "loss_after", "drop", "file"}
    require_same("the improvement", {key: value for key, value in stated.items() if key not in rest}, own)
    found = [circuit["units"] for circuit in report["circuits"]]
    require(own["circuit"] in map(sorted, found), "the improvement: it reuses no circuit that was found")
    require_equal("the bias of the improvement", exact(stated["bias"]), rational(fact["bias"]))
    drop, before, after = _bounds(fact["drop"]), bounds(stated["loss_before"]), bounds(stated["loss_after"])
    require_equal("the drop", bounds(stated["drop"]), drop)
    if loss is None:
        unseen.append("the losses before and after the improvement")
        return
    whole = _bounds(loss["loss"])
    require_equal("the loss before the improvement", before, whole)
    require_equal("the loss after the improvement", after, (whole[0] - drop[1], whole[1] - drop[0]))


def _prices(report: Fact, fact: Fact | None) -> None:
    stated = report["idle_price"]
    require((stated is None) == (fact is None), "the prices: stated without a fact, or not stated with one")
    if stated is None or fact is None:
        return
    taken: set[tuple[int, int]] = set()
    for circuit in report["circuits"]:
        units = {(layer, j) for layer, j in circuit["units"]}
        taken |= units if not units & taken else set()
    require_same("the freed units", stated["freed"], len(taken))
    require_same("the direction of the prices", stated["direction"], fact["direction"])
    for key, own in (("gap", "gap"), ("spacing", "separation"), ("spread", "spread")):
        require_equal(f"the {key} of the prices", exact(stated[key]), number(fact[own]))
    steps = [_bounds(step) for step in fact["steps"]]
    require_equal("the steps of the prices", [bounds(step) for step in stated["steps"]], steps)
    require_equal("the margin", [bounds(stated["margin"])], steps[:1])
    keys = {"gap", "direction", "spacing", "spread", "margin", "steps", "freed"}
    require(set(stated) == keys, "the prices: parts are missing or unknown")
