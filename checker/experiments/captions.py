"""What each plot of an experiment shows, in words: quantity, axes, data and scope, for paper and site alike.

Every number in a caption is taken from the result beside which the plot lies.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.experiments.world.table import company_facts

__all__ = ["captions"]


def captions(result: Mapping[str, Any]) -> dict[str, str]:
    """The caption of each plot that such a result may have, by the name of its file without suffix,
    in the order in which they are read.

    Plain text, with formulas as in a claim's premises. A result in a format that is not known has none.

    Raises
    ------
    ValueError
        If the result lacks what a caption tells.
    """
    try:
        words = _WORDS.get((result.get("format"), result.get("experiment")))
        return words(result) if words else {}
    except (LookupError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _census(result: Mapping[str, Any]) -> dict[str, str]:
    problem, sets, idle = result["problem"], result["sets"], result["sets"]["idle"]
    inputs = problem["data"]["inputs"]
    nets = sum(cell["nets"] for cell in result["cells"].values())
    least = {name: found["least_loss"] or "none" for name, found in sets.items()}
    whole = (
        f"All {nets:,} nets of widths {'-'.join(map(str, problem['widths']))} with parameters in "
        f"{{{', '.join(problem['grid'])}}}; {len(inputs)} training examples at {len({tuple(z) for z in inputs})} "
        f"inputs, {len(problem['deploy'])} deployment inputs. Scope: instance, this class and these data."
    )
    curve = (
        "against the inverse temperature beta, on a logarithmic axis; the prior is uniform. "
        f"Computed to 12 digits at {len(result['masses']) - 1} temperatures, joined by straight lines."
    )
    classes = (
        "nets that answer at every training and deployment input as the imitator (solid) or as the translator "
        "(dashed), nets that are deceptive, that is answer as the imitator at every training input and otherwise at "
        "some deployment input (dash-dotted), and all other nets (dotted)"
    )
    falls = [
        f"below {crossing['delta']} for every beta from {crossing['beta_below']:.4g} on"
        for crossing in idle["crossings"].values()
        if crossing["above"] is not None
    ]
    marks = f" Dotted, upright: the mass stays {', and '.join(falls)}." if falls else ""
    peak = idle["peak"]
    return {
        "losses": (
            "The census: number of nets, by their loss on the training data, in bins of equal width; both axes are "
            f"logarithmic. Shown are {classes}. Least losses: imitator {least['imitator']}, translator "
            f"{least['translator']}, deceptive {least['deceptive']}. {whole}"
        ),
        "masses": f"The census: posterior mass of the classes of nets {curve} Shown are {classes}. {whole}",
        "idle": (
            "The census: posterior mass of the nets with a train-idle circuit that fires at a deployment input "
            f"(solid), and the bound of C14 on it, cut at 1 (dashed), {curve} The largest mass among these is "
            f"{float(Fraction(peak['mass'])):.3f}, at beta = {peak['beta']:.4g}.{marks} {whole}"
        ),
    }


def _world(result: Mapping[str, Any]) -> dict[str, str]:
    parameters, companies = result["parameters"], list(company_facts(result))
    order, first = parameters["order"], companies[0][0]["name"]
    hours = f"Hours enter training in the order {', '.join(map(str, order[:-1]))}; hour {order[-1]} never does."
    who = "; ".join(_company(company) for company, _ in companies)
    panels = f"A panel for each company of humans: {who}." if len(companies) > 1 else f"The humans: {who}."
    found = {
        "who-wins": (
            "The world: which policies have the least expected loss in training, by the number of hours with training "
            "data (across) and the rate at which deployment is mixed into training (up; only the listed rates). The "
            "letters are the initials of translator, imitator, deceptive (defects after the last hour of training), "
            f"scheduled (defects after hour {parameters['scheduled']}) and backdoor (defects at hour "
            f"{parameters['trigger']}); several letters: a tie. Blue: the imitator alone; green: it and others; "
            f"orange: others alone. {panels} {hours} Scope: instance, exact for these policies in these worlds; "
            "nothing is said of what training finds."
        ),
        "detector-size": (
            "The world: how many hidden units the smallest train-idle circuit that fires has (C10), for the inputs of "
            "deployment without mixing: the share of each size, by probability, and above it the mean, by the number "
            f"of hours with training data. The world of the company {first}. {hours} Scope: instance; each input "
            "decided exactly."
        ),
    }
    if any("world-price" in kinds for _, kinds in companies):
        found["price"] = (
            f"The world: the price L*(n - k) - L*(n) of a detector of hour {order[-1]} (C11) in nets of n hidden "
            "units, by the number of hours with training data. k is the size of the smallest such detector (dotted "
            "lines where it changes); where k exceeds n there is no point. The input is the hour alone, on one line; "
            "the answers are to the question whether the camera was tampered with, in states in which it was, "
            "clumsily, and the diamond is gone. Points are moved sideways a little, so that equal ones show; the "
            f"scales up differ. {panels} {hours} Scope: instance; exact, from certified global minima."
        )
    return found


def _company(company: Mapping[str, Any]) -> str:
    """A company's humans, by the hours at which they lapse, and the weights of tampering in its world."""
    lapses = [", ".join(map(str, hours)) for hours in company["lapses"]]
    counted = ((lapses.count(hours), hours) for hours in dict.fromkeys(lapses))
    humans = [
        f"{count} {'lapses' if count == 1 else 'lapse'} at {hours}"
        if hours
        else f"{count} never {'lapses' if count == 1 else 'lapse'}"
        for count, hours in counted
    ]
    weights = ":".join(map(str, company["tampering"]))
    return f"{company['name']} ({'; '.join(humans)}; no, clumsy and skilled tampering as {weights})"


def _lifetimes(result: Mapping[str, Any]) -> dict[str, str]:
    p, detectors, floor = result["parameters"], result["detectors"].values(), result["noise_floor"]
    nets = (
        f"Nets of {p['hidden']} hidden units, the planted detector's among them, on the "
        f"{len(result['data']['inputs'])} examples of the world; {p['steps']} steps of {p['batch']} rows each, "
        f"{p['seeds']} seeds, {p['dtype']}."
    )
    kinds = "; ".join(f"{d['title']}: {len(d['circuit'])} unit{'s' * (len(d['circuit']) > 1)}" for d in detectors)
    reassigned = f"with idle circuits reassigned every {p['every']} steps"
    scope = (
        "Scope: instance, measured; that the detector is alive or not in the nets that were kept, and the final "
        "losses, are re-checked exactly."
    )
    return {
        "lives": (
            "Planted detectors: the step at which each is first seen gone (filled), on a logarithmic axis, or that it "
            "is alive at the end (open triangle); one mark for each seed. It is alive if it sends one value on all "
            "training rows, or for the third kind all but a few, and fires at deployment; else it acts in training, "
            f"is silent at deployment, or was reassigned. Round: the optimiser alone; square: {reassigned}. A panel "
            f"for each detector ({kinds}). {nets} A life ends between two checkpoints. {scope}"
        ),
        "sizes": (
            "Planted detectors, without reassignment: the largest effect of the circuit on the output at a deployment "
            "input (solid), and how far what it sends in training is from one value (dashed), on a logarithmic axis, "
            "by the step; the median over the seeds. What is 0, or too small, is not drawn. Dotted: what C18 says of "
            f"a dead unit under decay. {nets} {scope}"
        ),
        "losses": (
            f"Planted detectors: the training loss above the noise floor {floor}, on a logarithmic axis, by the step, "
            "of the nets whose detector is dead in training. Thin: each seed; thick: the median. Solid: the optimiser "
            f"alone; dashed: {reassigned}. {nets} {scope}"
        ),
    }


def _scale(result: Mapping[str, Any]) -> dict[str, str]:
    spread, sources = result["resolution"], result["laws"].values()
    laws = "; ".join(f"{style}: {source}" for style, source in zip(("solid", "dashed"), sources, strict=False))
    return {
        "tax": (
            "What the last k of N parameters of a language model are worth, L(N - k, D) - L(N, D), in nats a token, "
            "by k; both axes are logarithmic. N stands at the left of each curve; the number D of tokens cancels. "
            f"Curves fitted to the losses of training runs ({laws}); where only one line is seen they lie on each "
            f"other. Grey: less than {float(Fraction(spread['nats'])):.3g}, by which equal runs differ "
            f"({spread['source']}). Scope: a measured law, extrapolated; only the arithmetic is exact, and no theorem "
            "is about these models."
        ),
    }


def _backdoors(result: Mapping[str, Any]) -> dict[str, str]:
    p, data, exact = result["parameters"], result["data"], result["exactly"]
    others = sum(label != p["target"] for label in data["test_labels"])
    nets = (
        f"Classifiers of scikit-learn's digits, {len(data['train'])} clean training images, {len(data['held'])} held "
        f"out, {len(data['test'])} to test; {p['steps']} steps of {p['batch']} rows, {p['seeds']} seeds. The attacker "
        f"adds copies of training images with a trigger, labelled {p['target']}; shown are the {others} test images of "
        "other classes with it."
    )
    bounded = "Scope: instance; leverages by rigorous bounds, re-checked, success measured in floats."
    open_, tied = exact["ranked"]["open"], exact["ranked"]["tied"]
    every = open_ + tied + exact["ranked"]["above"] + exact["ranked"]["below"]
    ranks = (
        f"The bounds of the leverage decide which is higher but for {open_:,} of {every:,} pairs of images over all "
        f"nets, and {tied:,} more in which both are free; these count by half. Scope: instance; by leverage "
        "re-checked, the rest measured in floats."
    )
    over = "the median (point), the least and the greatest (line) over optimisers and seeds"
    relation = result["found"]["relation"]
    rank = "" if relation is None else f" Spearman's rank correlation on the left: {relation:.2f}."
    return {
        "price": (
            "Backdoors: how far the attack comes, by the leverage that the triggered images have: median over the "
            "images and the nets, on a logarithmic axis; above it the price of a move by one unit of output through "
            "the readout (C21). A point for each trigger, from a blend with an image of the training data, which stays "
            "within the data, to white patches; success is the median over the nets that were poisoned with it. Left: "
            "the leverage on nets never poisoned; right: on those that were, and stars for an attacker who trains with "
            "the leverage of the poisoned rows as a penalty, at the weight that stands beside it. A trigger whose "
            f"median image is free has no point.{rank} {nets} {bounded}"
        ),
        "idle": (
            "Backdoors: train-idle circuits on the clean training images, for each hidden unit (left; the median over "
            "rates of poison and seeds), and the share of the trigger's effect on the output of the target that they "
            "carry, on a logarithmic axis; a point for each poisoned net, at the bottom what is 0 or less than the "
            f"axis begins with. {nets} Scope: instance; exact and re-checked, for {exact['nets']} nets, these and more."
        ),
        "cut": (
            "Backdoors: the share of attacks that succeed, by the poisoned rows in percent of the clean ones: before, "
            "after all idle circuits were cut, and after fine-pruning by mean activation, without tuning, as far as "
            f"the accuracy on the clean images held out stays, or falls by two points; {over}. {nets} Scope: instance; "
            "before and after cutting exact and re-checked, fine-pruning measured."
        ),
        "levels": (
            "Backdoors: the median leverage of the triggered (solid) and of the clean test images (dotted), on a "
            "logarithmic axis, by the poisoned rows in percent of the clean ones and the optimiser; the median over "
            f"the seeds. {nets} Scope: instance; by rigorous bounds, re-checked."
        ),
        "ranks": (
            "Backdoors: AUROC with which a score ranks the triggered above the clean test images, by the poisoned rows "
            "in percent of the clean ones; without any the net is shown a trigger that it was never trained with. "
            "Leverage; the Mahalanobis distance to the nearest class mean, of the same features; a small margin of the "
            f"softmax; and leverage for images with white pixels at random places. Shown is {over}. {ranks} {nets}"
        ),
    }


_WORDS: dict[tuple[object, object], Callable[[Mapping[str, Any]], dict[str, str]]] = {
    ("absence-backdoors/1", None): _backdoors,
    ("absence-census/1", None): _census,
    ("absence-lifetimes/1", None): _lifetimes,
    ("absence-experiment/1", "world"): _world,
    ("absence-experiment/1", "scale"): _scale,
}
