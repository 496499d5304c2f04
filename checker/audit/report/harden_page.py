"""What `absence harden` did, in the terminal: the answer first, then each circuit."""

from collections.abc import Mapping
from decimal import ROUND_CEILING
from fractions import Fraction

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.harden import Hardened
from proof_of_absence.checker.audit.harden_prices import Repriced
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.checker.audit.report.words import count, names, row_ranges

__all__ = ["page", "prices_page"]

SCOPE = (
    "Decided exactly, about the net as a function over the reals, on these data. Circuits are sought within one layer; "
    "those of several layers, and detectors that are not separable (N1), are not looked for."
)

FLOAT32 = (
    "Nor does any in float32, for whoever sums in the same order: all that was cut is 0 there, to the bit. "
    "The certificate shows it."
)
ROUND = "To take the others out too, round their biases: --rounding nearest."
NO_BIAS = (
    "In the file no bias of a number for each unit is added right after the weights that read them, or what it would "
    "have to be is beyond its type: give that layer a bias there, zeros will do, and harden again."
)

PRICES = (
    "At most so much a move of the answer costs in training, by the output weights alone (C21): the least move that "
    "changes the class there, or that changes one output by 1. This is not in the certificate: that of an audit has it."
)
STILL_FREE = (
    "A hardening sets output weights to 0 and deletes no unit. Whoever may write them again moves the answer freely "
    "where such a unit fires, as before."
)
DELETE = "Units that send nothing are deleted with --compress."


def page(found: Hardened, rows: int, limit: int = 20) -> Group:
    """The answer and the tables; `rows` is the number of training inputs."""
    taken = f"{count(len(found.removed), 'train-idle circuit')} taken out" if found.removed else "Nothing to take out"
    left = f"; {len(found.left)} left, since no bias holds what they send." if found.left else "; none is left."
    parts: list[RenderableType] = [Text(taken + left, "bold yellow" if found.left else "bold green"), ""]
    inputs = count(rows, "training input")
    if found.deviation:
        most = short(found.deviation, ROUND_CEILING)
        parts.append(Text(f"Biases were rounded: at the {inputs} an output changes by {most} at most."))
    elif found.removed:
        parts.append(Text(f"No output at the {inputs} changes, over the reals."))
    if found.removed and found.same_in_float32:
        parts.append(Text(FLOAT32))
    if found.left:
        parts.append(Text(ROUND if found.rounding == "exact" else NO_BIAS))
    parts.append("")
    for title, circuits in (("Taken out", found.removed), ("Left", found.left)):
        if circuits:
            parts += [Text(title, "bold"), _table(circuits[:limit])]
            if len(circuits) > limit:
                parts.append(Text(f"… {len(circuits) - limit} more not shown; hardening.json has all", "dim"))
            parts.append("")
    return Group(*parts, Text(SCOPE, "dim"))


def prices_page(found: Mapping[str, Repriced]) -> Group:
    """What a move costs at the deployment inputs, a line for each net: as it was, hardened, and smaller if it is."""
    table = Table(
        "Deployment inputs", "Free at", "Least price", "Median", header_style="dim", box=None, pad_edge=False,
        padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name, one in found.items():
        table.add_row(name, f"{one.free} of {one.inputs}", _size(one.least), _size(one.median))
    notes = [PRICES]
    if found["hardened"].free:
        notes.append(STILL_FREE if "smaller" in found else f"{STILL_FREE} {DELETE}")
    return Group(Text("What a move costs", "bold"), table, "", *(Text(note, "dim") for note in notes), "")


def _size(price: Fraction | None) -> str:
    return "not known" if price is None else short(price, ROUND_CEILING, 3) if price else "0"


def _table(circuits: tuple[CircuitFinding, ...]) -> Table:
    table = Table("Circuit", "Fires at rows", header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for circuit in circuits:
        fires = "not looked at" if circuit.fires is None else row_ranges(circuit.fires)
        table.add_row(Text(names(circuit.units)), Text(fires))
    return table
