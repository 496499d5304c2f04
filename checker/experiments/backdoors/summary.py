"""What came out, over all nets: counts that are exact and re-checked, medians of what was measured, and it in words."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf, isinf
from statistics import median
from typing import Any

from scipy.stats import spearmanr

from proof_of_absence.checker.experiments.backdoors.measure import SCATTERED
from proof_of_absence.checker.experiments.backdoors.plan import PATCH
from proof_of_absence.checker.experiments.backdoors.scores import RANKED

__all__ = ["conclusion", "exactly", "found", "priced", "reference", "share", "summary"]

Entry = Mapping[str, Any]
Entries = Sequence[Entry]


def share(run: Entry) -> Fraction:
    """What of the trigger's effect on the target's output the idle circuits carry; nothing, if there is no effect."""
    moved = Fraction(run["moved"])
    return Fraction(run["moved_idle"]) / moved if moved else Fraction(0)


def _attacked(entries: Entries) -> list[Entry]:
    return [entry for entry in entries if entry["rate"]]


def exactly(entries: Entries) -> dict[str, Any]:
    """Counts over the nets that were poisoned, in exact numbers; the independent checker counts again."""
    runs = [run for entry in _attacked(entries) for run in entry["runs"]]
    shares = [share(run) for run in runs]
    return {
        "nets": sum(len(entry["runs"]) for entry in entries),
        "poisoned": len(runs),
        "with_idle": sum(bool(run["idle"]) for run in runs),
        "firing": sum(run["fires"] > 0 for run in runs),
        "carrying": sum(value != 0 for value in shares),
        "most_share": str(max(map(abs, shares), default=Fraction(0)).limit_denominator(10**6)),
        "half": sum(abs(value) >= Fraction(1, 2) for value in shares),
        "most_hits_lost": max((run["hits"] - run["hits_cut"] for run in runs), default=0),
        "hits_changed": sum(run["hits"] != run["hits_cut"] for run in runs),
        "correct_changed": sum(run["correct"] != run["correct_cut"] for run in runs),
        "ranked": _ranked([run for entry in entries for run in entry["runs"]]),
    }


def _ranked(runs: Sequence[Entry]) -> dict[str, int]:
    """Of all nets and what is shown to them: pairs by how their leverages rank, inputs that are free or not known."""
    shown = [(one["pairs"], one["leverage"]) for run in runs for one in run["shown"].values()]
    spreads = [*(spread for _, spread in shown), *(run["clean_leverage"] for run in runs)]
    ranked = {key: sum(counted[key] for counted, _ in shown) for key in ("above", "below", "tied", "open")}
    return ranked | {key: sum(spread[key] for spread in spreads) for key in ("free", "unknown")}


def reference(entries: Entries) -> Entry:
    """The nets that were never poisoned, of the shape and optimiser that other triggers are tried on."""
    other = next(entry for entry in entries if entry["trigger"] != PATCH)
    (clean,) = [e for e in entries if not e["rate"] and _shape(e) == _shape(other)]
    return clean


def _shape(entry: Entry) -> tuple[Any, ...]:
    return entry["kind"], entry["width"], entry["optimizer"]


def priced(entries: Entries) -> list[dict[str, Any]]:
    """Of each trigger, in the order of the leverage that its inputs have on the clean nets, how far the attack comes.

    `leverage` and `auroc` are medians over nets that were never poisoned, `own` over those that were, `success` over
    those: the share of triggered test images answered with the target. `correct` counts clean test images answered
    rightly. Leverages are lower bounds; where most inputs are free, the leverage is `None`.
    """
    clean = reference(entries)
    rate = max(entry["rate"] for entry in entries if entry["trigger"] != PATCH)
    tried = [e for e in entries if _shape(e) == _shape(clean) and e["rate"] == rate and not e["penalty"]]
    rows = [
        {
            "trigger": entry["trigger"],
            "leverage": _leverage(run["shown"][entry["trigger"]]["leverage"] for run in clean["runs"]),
            "auroc": median(run["shown"][entry["trigger"]]["auroc"]["leverage"] for run in clean["runs"]),
            "own": _leverage(run["shown"][entry["trigger"]]["leverage"] for run in entry["runs"]),
            "own_auroc": entry["auroc"]["leverage"]["mean"],
            "success": median(run["shown"][entry["trigger"]]["success"] for run in entry["runs"]),
            "correct": median(run["correct"] for run in entry["runs"]),
        }
        for entry in tried
    ]
    return sorted(rows, key=lambda row: (row["leverage"] is None, row["leverage"]))


def _leverage(spreads: Iterable[Mapping[str, Any]]) -> float | None:
    """The median over nets of what is shown of their medians: lower bounds, nothing where it is infinite."""
    found = median(inf if spread["median"][0] is None else spread["median"][0] for spread in spreads)
    return None if isinf(found) else found


def found(entries: Entries) -> dict[str, Any]:
    """What was measured, over the nets poisoned with the patch, and the controls."""
    patched = [e for e in _attacked(entries) if e["trigger"] == PATCH and not e["penalty"]]
    never = [entry for entry in entries if not entry["rate"]]
    order = priced(entries)
    known = [row for row in order if row["leverage"] is not None]
    relation = spearmanr([row["leverage"] for row in known], [row["success"] for row in known]).statistic
    return {
        "clean_leverage": _leverage(run["clean_leverage"] for run in reference(entries)["runs"]),
        "clean_correct": median(run["correct"] for run in reference(entries)["runs"]),
        "priced": {row["trigger"]: row for row in order},
        "relation": float(relation) if len(known) > 2 else None,
        "penalties": {f"{entry['penalty']:g}": _penalised(entry) for entry in entries if entry["penalty"]},
        "patch": {name: _range(entry["auroc"][name]["mean"] for entry in patched) for name in RANKED},
        "never_poisoned": {name: _range(entry["auroc"][name]["mean"] for entry in never) for name in RANKED},
        "scattered": _range(run["shown"][SCATTERED]["auroc"]["leverage"] for entry in patched for run in entry["runs"]),
        "success": _range(run["shown"][PATCH]["success"] for entry in patched for run in entry["runs"]),
        "pruned": {
            name: {
                key: _range(run["pruned"][name][key] for entry in patched for run in entry["runs"])
                for key in ("success", "lost")
            }
            for name in ("same", "two_points")
        },
        "rare": {
            name: _range(run["rare"][name] for entry in patched for run in entry["runs"])
            for name in ("units", "share", "success", "accuracy")
        },
        "trends": trends(entries),
    }


def trends(entries: Entries) -> list[dict[str, Any]]:
    """How much is idle, and the leverages, by shape, optimiser and rate of poison; medians over the seeds.

    `idle` are circuits for each hidden unit. The trigger is the patch, also where no net was poisoned.
    """
    return [
        {
            **{key: entry[key] for key in ("kind", "width", "optimizer", "rate")},
            "idle": median(len(run["idle"]) for run in entry["runs"]) / entry["width"],
            "leverage": _leverage(run["shown"][PATCH]["leverage"] for run in entry["runs"]),
            "clean_leverage": _leverage(run["clean_leverage"] for run in entry["runs"]),
            "auroc": entry["auroc"]["leverage"]["mean"],
            "success": median(run["shown"][PATCH]["success"] for run in entry["runs"]),
            "correct": median(run["correct"] for run in entry["runs"]),
        }
        for entry in entries
        if entry["trigger"] == PATCH and not entry["penalty"]
    ]


def _penalised(entry: Entry) -> dict[str, Any]:
    own = [run["shown"][entry["trigger"]] for run in entry["runs"]]
    return {
        "leverage": _leverage(shown["leverage"] for shown in own),
        "auroc": entry["auroc"]["leverage"],
        "mahalanobis": entry["auroc"]["mahalanobis"],
        "success": median(shown["success"] for shown in own),
        "correct": median(run["correct"] for run in entry["runs"]),
    }


def _range(values: Iterable[float]) -> dict[str, float]:
    ranked = sorted(values)
    return {"least": ranked[0], "median": median(ranked), "most": ranked[-1]}


def summary(entries: Entries) -> list[dict[str, Any]]:
    """A row for each shape and optimiser, over the rates of poison and the seeds, the trigger being the patch."""
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in _attacked(entries):
        if entry["trigger"] == PATCH and not entry["penalty"]:
            groups.setdefault(_shape(entry), []).append(entry)
    return [_row(shape, group) for shape, group in groups.items()]


def _row(shape: tuple[Any, ...], group: Entries) -> dict[str, Any]:
    kind, width, optimizer = shape
    runs = [run for entry in group for run in entry["runs"]]
    own = [run["shown"][PATCH] for run in runs]
    return {
        "net": f"{kind} {width}",
        "optimizer": optimizer,
        "nets": len(runs),
        "idle": round(median(len(run["idle"]) for run in runs)),
        "firing": sum(run["fires"] > 0 for run in runs),
        "largest_share": _percent(float(max(abs(share(run)) for run in runs)), 3),
        "success": _percent(median(shown["success"] for shown in own)),
        "after_cutting": _percent(median(_after(run) for run in runs)),
        "after_pruning": _percent(median(run["pruned"]["same"]["success"] for run in runs)),
        "leverage": _short(_leverage(shown["leverage"] for shown in own)),
        "auroc": _short(min(entry["auroc"]["leverage"]["mean"] for entry in group)),
        "auroc_mahalanobis": _short(min(entry["auroc"]["mahalanobis"]["mean"] for entry in group)),
        "auroc_margin": _short(min(entry["auroc"]["margin"]["mean"] for entry in group)),
    }


def _after(run: Entry) -> float:
    """The success after cutting: exact counts, over as many images as before."""
    hits, success = run["hits"], run["shown"][PATCH]["success"]
    return run["hits_cut"] * success / hits if hits else 0.0


def _percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f} %"


def _short(value: float | None) -> str:
    return "free" if value is None else f"{value:.3f}"


def conclusion(entries: Entries) -> list[str]:
    """It in plain words."""
    counts, measured = exactly(entries), found(entries)
    poisoned, most = counts["poisoned"], float(Fraction(counts["most_share"]))
    patch, never, scattered = (measured[name] for name in ("patch", "never_poisoned", "scattered"))
    cheap, *_, dear = sorted(measured["priced"].values(), key=lambda row: -(row["leverage"] or float("inf")))
    ranked = counts["ranked"]
    every = sum(ranked[key] for key in ("above", "below", "tied", "open"))
    return [
        f"Of {poisoned} nets that were trained on poisoned data, {counts['with_idle']} have circuits that are idle on "
        f"clean data. In {counts['firing']} some of them fire on a triggered test image, and in {counts['half']} they "
        f"carry half of the trigger's effect or more; the largest share is {_percent(most, 3)}.",
        f"Cutting them changes the number of attacks that succeed in {counts['hits_changed']} of the nets.",
        "So the backdoors that training made here are not separable detectors: they lie in units that work."
        if not counts["half"]
        else "So some of the backdoors that training made here are separable detectors.",
        f"Leverage ranks triggered above clean images with an AUROC of {patch['leverage']['least']:.3f} to "
        f"{patch['leverage']['most']:.3f} by cell; but so it does in nets that were never poisoned, "
        f"{never['leverage']['least']:.3f} to {never['leverage']['most']:.3f}, and with white pixels at random it is "
        f"{scattered['median']:.3f} in the median. It finds inputs far from the data, not backdoors.",
        f"Rigorous bounds of the leverage rank all but {ranked['open']:,} of {every:,} pairs of a triggered and a "
        f"clean image, over all nets; {ranked['tied']:,} are tied, as both images are free. Both count by half.",
        f"On nets never poisoned the trigger of the greatest leverage is {cheap['trigger']}, and an attack with it "
        f"succeeds on {_percent(cheap['success'])} of the images; that of the least is {dear['trigger']}, with "
        f"{_percent(dear['success'])}. There a move by the readout costs the most; training moves the features.",
    ]
