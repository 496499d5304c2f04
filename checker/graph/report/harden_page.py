"""What `absence harden` did to a graph, in a terminal: the answer first, then what was taken out and what is left."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from proof_of_absence.checker.graph.findings import NodeFinding, place_name
from proof_of_absence.checker.graph.harden_folder import Hardening

__all__ = ["page"]

FLOAT32 = (
    "Nor does any in float32, for whoever sums in the same order: all that was cut is 0 there, to the bit."
)
# Units that a line names.
_NAMED = 4


def page(made: Hardening) -> Group:
    """The answer and the tables."""
    found = made.found
    removed, left = sum(map(len, found.removed.values())), len(found.left)
    taken = f"{_count(removed, 'train-idle unit')} taken out" if removed else "Nothing to take out"
    rest = f"; {left:,} left, since they share weights or readers with what works." if left else "; none is left."
    parts: list[RenderableType] = [Text(taken + rest, "bold yellow" if left else "bold green"), ""]
    if removed:
        parts.append(Text(f"No output at the {_count(len(made.inputs), 'training input')} changes, over the reals."))
    if found.same_in_float32:
        parts.append(Text(FLOAT32))
    nodes = {node.node: node for node in made.nodes}
    if removed:
        table = _table("Taken out", "Units", "Fired at")
        for number, units in found.removed.items():
            table.add_row(Text(nodes[number].name), Text(_named(nodes[number], units)), _fired(nodes[number], units))
        parts += ["", table]
    if left:
        table = _table("Left", "Units", "Why")
        by_reason = Counter((one.node, one.reason) for one in found.left)
        for (number, reason), count in by_reason.items():
            table.add_row(Text(nodes[number].name), f"{count:,}", Text(reason))
        parts += ["", table]
    return Group(*parts)


def _table(*heads: str) -> Table:
    table = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _named(node: NodeFinding, units: tuple[int, ...]) -> str:
    shown = ", ".join(place_name(node, entry) for entry in units[:_NAMED])
    return shown + (f" and {len(units) - _NAMED:,} more" if len(units) > _NAMED else "")


def _fired(node: NodeFinding, units: tuple[int, ...]) -> str:
    if node.fires is None:
        return "not looked at"
    rows = {row for entry in units for row in node.fires[entry]}
    return _count(len(rows), "deployment input") if rows else "none"


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}{'' if amount == 1 else 's'}"
