"""One cell of the grid: train its nets, decide what is exact of each, and measure the scores.

A cell's record is one file. It holds the nets, or of a deeper net what was recorded, so that it can be checked again;
and bounds of the leverage at every input that is shown, which decide how it ranks.
"""

import base64
import zlib
from collections.abc import Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from proof_of_absence.checker.experiments.backdoors.decided import Inputs, decided
from proof_of_absence.checker.experiments.backdoors.digits import (
    LEVELS,
    TARGET,
    Digits,
    Floats,
    Integers,
    Trigger,
    scattered,
)
from proof_of_absence.checker.experiments.backdoors.leverages import (
    Leverages,
    higher,
    leverages,
    pairs,
    share,
    spread,
)
from proof_of_absence.checker.experiments.backdoors.plan import PATCH, Cell, Plan
from proof_of_absence.checker.experiments.backdoors.scores import RANKED, SCORES, Scores, auroc, interval, over
from proof_of_absence.checker.experiments.backdoors.train import Dense, Stack, train
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["CLEAN", "FORMAT", "SCATTERED", "measure", "packed"]

FORMAT = "absence-backdoor-cell/1"
# A control beside the triggers: white pixels, at other places in every image.
SCATTERED = "scattered"
# What the test images as they are go by, among the triggers.
CLEAN = "test"
# Units that are on in no more of the clean rows than this are rare.
RARE = 0.01
# What fine-pruning may cost in accuracy on the clean images that were held out.
LOSSES = {"same": 0.0, "two_points": 0.02}


def measure(cell: Cell, plan: Plan, data: Digits, known: Mapping[str, Trigger]) -> dict[str, object]:
    """The record of a cell, as JSON.

    Raises
    ------
    InputError
        If the weights stop being finite, or it is not decided which circuits are idle.
    """
    with threadpool_limits(1):
        return _measured(cell, plan, data, known)


def _measured(cell: Cell, plan: Plan, data: Digits, known: Mapping[str, Trigger]) -> dict[str, object]:
    own = known[cell.trigger]
    nets = train(cell, plan, data, own)
    images = data.test[data.others]
    names = known if cell.every else dict.fromkeys((PATCH, cell.trigger))
    shown = {name: known[name].on(images) for name in names} | {SCATTERED: scattered(images)}
    clean, held = (_read(nets, rows / LEVELS) for rows in (data.train, data.held))
    tables = {name: _read(nets, rows) for name, rows in ({CLEAN: data.test / LEVELS} | shown).items()}
    runs, kept = list[dict[str, object]](), list[dict[str, object]]()
    ranked: dict[str, list[Floats]] = {name: [] for name in RANKED}
    for seed in range(plan.seeds):
        net = _net(nets, seed)
        here = {name: rows[seed] for name, rows in tables.items()}
        inputs = Inputs(clean[seed], here[CLEAN], here[cell.trigger])
        of = _Of(net, Scores(_hidden(net, inputs.clean), data.labels))
        prices = leverages(net, inputs.clean, here)
        found = {name: of.scores(rows) for name, rows in here.items()}
        ranked["leverage"].append(higher(prices.of[cell.trigger], prices.of[CLEAN]))
        for name in SCORES:
            ranked[name].append(over(found[cell.trigger][name], found[CLEAN][name]))
        runs.append(
            {"seed": seed}
            | decided(net, inputs, data)
            | {
                "clean_leverage": spread(prices.of[CLEAN]),
                "rare": _rare(of, inputs, data),
                "pruned": _pruned(of, inputs, held[seed], data),
                "shown": {name: _shown(of, name, here[name], found, prices) for name in shown},
            }
        )
        kept.append(_kept(nets, net, {"clean": inputs.clean} | here) | {"leverage": prices.as_json()})
    return {
        "format": FORMAT,
        "cell": cell.name,
        "auroc": {name: _auroc(np.stack(tables), data.others) for name, tables in ranked.items()},
        "runs": runs,
        "nets": kept,
    }


def _read(nets: Stack, rows: Floats) -> Floats:
    """What each net's exact part reads, shape (nets, rows, inputs): the images, or recorded activations."""
    if isinstance(nets, Dense):
        return np.broadcast_to(rows, (len(nets.readout), *rows.shape))
    return nets.recorded(rows)


def _net(nets: Stack, seed: int) -> FloatNet:
    """A net of the stack. Of a deeper one, the readout above the recorded activations: they are not negative, so a
    layer that copies them changes nothing.
    """
    readout = (nets.readout[seed].numpy(), nets.bias[seed, 0].numpy())
    if isinstance(nets, Dense):
        return FloatNet([(nets.weights[seed].numpy(), nets.hidden[seed, 0].numpy()), readout], np.float32)
    width = readout[0].shape[1]
    return FloatNet([(np.eye(width), np.zeros(width)), readout], np.float32)


def _hidden(net: FloatNet, rows: Floats) -> Floats:
    weights, bias = net.float_layers[0]
    return np.asarray(np.maximum(rows @ weights.T + bias, 0))


class _Of:
    """A net and what is known of its clean features."""

    def __init__(self, net: FloatNet, known: Scores):
        self.net, self.known = net, known

    def outputs(self, rows: Floats) -> Floats:
        weights, bias = self.net.float_layers[1]
        return np.asarray(_hidden(self.net, rows) @ weights.T + bias)

    def scores(self, rows: Floats) -> dict[str, Floats]:
        hidden = _hidden(self.net, rows)
        return {
            "mahalanobis": self.known.mahalanobis(hidden),
            "margin": Scores.margin(self.outputs(rows)),
        }


def _shown(
    of: _Of, name: str, rows: Floats, found: Mapping[str, dict[str, Floats]], prices: Leverages
) -> dict[str, object]:
    """What a trigger does to the net, whether or not it was trained with it; `pairs` are ranked by the leverage."""
    answers, counted = of.outputs(rows).argmax(axis=1), pairs(prices.of[name], prices.of[CLEAN])
    return {
        "leverage": spread(prices.of[name]),
        "pairs": counted,
        "success": float((answers == TARGET).mean()),
        "auroc": {"leverage": float(share(counted))}
        | {score: auroc(found[name][score], found[CLEAN][score]) for score in SCORES},
    }


def _auroc(tables: Floats, images: Integers) -> dict[str, float]:
    low, high = interval(tables, images)
    # Of halves: summed without an error, so it is the nearest float.
    return {"mean": float(tables.sum() / tables.size), "low": low, "high": high}


def _pruned(of: _Of, inputs: Inputs, held: Floats, data: Digits) -> dict[str, dict[str, float]]:
    """Fine-pruning (Liu, Dolan-Gavitt and Garg, RAID 2018) without the tuning: units are cut in the order of their mean
    activation on clean rows, as many as cost no more than so much of the accuracy on the clean rows held out.
    """
    weights, bias = of.net.float_layers[1]
    order = np.argsort(of.known.clean.mean(axis=0), kind="stable")

    def answers(rows: Floats) -> Integers:
        # Of shape (units cut, rows): first none, last all but one.
        hidden = _hidden(of.net, rows)
        parts = hidden.T[order][:, :, None] * weights.T[order][:, None, :]
        left = np.cumsum(parts[::-1], axis=0)[::-1] + bias
        return np.asarray(left.argmax(axis=2))

    known = (answers(held) == data.held_labels).mean(axis=1)
    right = (answers(inputs.test) == data.test_labels).mean(axis=1)
    success = (answers(inputs.bad) == TARGET).mean(axis=1)
    found = {}
    for name, loss in LOSSES.items():
        cut = int(np.flatnonzero(known >= known[0] - loss)[-1])
        found[name] = {
            "units": cut,
            "held": float(known[cut]),
            "accuracy": float(right[cut]),
            "lost": float(right[0] - right[cut]),
            "success": float(success[cut]),
        }
    return found


def _rare(of: _Of, inputs: Inputs, data: Digits) -> dict[str, float]:
    """What the units carry that are all but idle, and what is left without them; `share` is of the trigger's effect."""
    weights, bias = of.net.float_layers[1]
    rare = (of.known.clean > 0).mean(axis=0) <= RARE
    bad, test = (_hidden(of.net, rows) for rows in (inputs.bad, inputs.test))
    labels = data.test_labels[data.others]
    effect = (bad - test[data.others]) * (weights[TARGET] - weights[labels])
    whole = float(effect.sum())
    cut = weights * ~rare
    return {
        "units": int(rare.sum()),
        "share": float(effect[:, rare].sum()) / whole if whole else 0.0,
        "success": float(((bad @ cut.T + bias).argmax(axis=1) == TARGET).mean()),
        "accuracy": float(((test @ cut.T + bias).argmax(axis=1) == data.test_labels).mean()),
    }


def packed(array: Floats) -> dict[str, object]:
    """An array of float32 values as text."""
    data = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return {"shape": list(array.shape), "float32": base64.b64encode(zlib.compress(data)).decode()}


def _kept(nets: Stack, net: FloatNet, tables: Mapping[str, Floats]) -> dict[str, object]:
    """What the exact part was decided on: the weights, or the readout and what was recorded."""
    layers = [{"weights": packed(layer.weights), "bias": packed(layer.bias)} for layer in net.float_layers]
    if isinstance(nets, Dense):
        return {"layers": layers}
    return {"layers": layers[1:], "recorded": {name: packed(table) for name, table in tables.items()}}
