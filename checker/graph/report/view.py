"""What the reports of a graph say, in words: the answer first, then a table of nodes and of what sleeps."""

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import PurePath

from proof_of_absence.checker.graph.findings import (
    CLEAN,
    FINDINGS,
    SCOPE,
    UNDECIDED,
    GraphAudit,
    State,
    place_name,
    unit_name,
)
from proof_of_absence.checker.graph.report.end_view import (
    independence_lines,
    price_lines,
    price_table,
    together_lines,
    together_rows,
)
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.checker.screen.answers import Answer, Report, Table

__all__ = ["STATES", "answers", "harden_command", "headline", "report_of"]

STATES = {CLEAN: "clean", FINDINGS: "findings", UNDECIDED: "undecided"}
# Lines of one answer, and names in a line.
_MOST, _NAMED = 4, 4


def report_of(audit: GraphAudit, limit: int = 50, command: str | None = None) -> Report:
    """What stands in the reports; tables are cut to `limit` rows.

    `command` takes out what sleeps; by default it is that for files of the names in the audit.
    """
    if command is None:
        command = harden_command(audit.net.source, audit.data.source)
    command = command if audit.findings else ""
    told = answers(audit, command), tables(audit, limit)
    title = f"audit of {audit.net.source}"
    return Report(title, STATES[audit.exit_code], headline(audit), *told, SCOPE, "report.json", command)


def headline(audit: GraphAudit) -> str:
    """The answer in one or two sentences."""
    open_ = f" {_count(len(audit.undecided), 'question')} undecided." if audit.undecided else ""
    if audit.exit_code == UNDECIDED:
        return f"Nothing found, but {_count(len(audit.undecided), 'question')} undecided: this is not a pass"
    if audit.exit_code == CLEAN:
        return "Clean: every hidden unit that is read varies on the training inputs"
    if not any(node.idle for node in audit.nodes):
        return f"{audit.findings[-1][0].upper()}{audit.findings[-1][1:]}; {_deployed(audit)}.{open_}"
    channels = sum(len(node.channels) for node in audit.nodes)
    single = sum(len(node.single) for node in audit.nodes)
    parts = [_count(channels, "train-idle channel")] * bool(channels)
    if single or not channels:
        parts.append(_count(single, f"{'more ' if channels else ''}train-idle unit"))
    return f"{' and '.join(parts)}; {_deployed(audit)}.{open_}"


def _deployed(audit: GraphAudit) -> str:
    if any(node.fires is None for node in audit.nodes if node.idle):
        one = sum(len(node.idle) for node in audit.nodes) == 1
        return f"at which deployment inputs {'it fires' if one else 'they fire'} was not looked at"
    firing = sum(bool(rows) for node in audit.nodes for rows in (node.fires or {}).values())
    if not firing:
        return "none fires at these deployment inputs"
    fire = "fires" if firing == 1 else "fire"
    return f"{_count(firing, 'unit')} {fire} at {_count(len(_rows(audit)), 'deployment input')}"


def _rows(audit: GraphAudit) -> Counter[int]:
    """How many idle units fire at each deployment row."""
    return Counter(row for node in audit.nodes for rows in (node.fires or {}).values() for row in rows)


def answers(audit: GraphAudit, command: str = "") -> tuple[Answer, ...]:
    """The answers that stand above all tables; questions without an answer are left out."""
    remedy = (
        ("The command below takes out what sends 0 or can be folded, with no change on the training data.",)
        if audit.findings and command
        else ()
    )
    asked = (
        Answer("What is train-idle", _shortened([*_sleeping(audit), *together_lines(audit.end)])),
        Answer("Where it fires", _shortened(_firing(audit))),
        Answer("What the outputs read", tuple(_reading(audit))),
        Answer("What it costs to move an answer by the readout", tuple(price_lines(audit.end))),
        Answer("What holds over a box of inputs", _shortened(_boxes(audit))),
        Answer("A network with a lower loss", tuple(_improved(audit))),
        Answer("What is not decided", _shortened(audit.undecided)),
        Answer("What is assumed", tuple(_assumed(audit))),
        Answer("What can be done", remedy),
        Answer("What is not asked", audit.not_asked),
    )
    return tuple(answer for answer in asked if answer.lines)


def harden_command(net: str, train: str) -> str:
    """The command that takes out of a network what sleeps, given the paths of its file and of the data."""
    path = PurePath(net)
    if path.suffix != ".onnx":
        return ""
    output = path.with_name(f"{path.stem}.hardened{path.suffix}")
    return shlex.join(["absence", "harden", net, "--train", train, "-o", str(output)])


def _sleeping(audit: GraphAudit) -> list[str]:
    lines = []
    for node in audit.nodes:
        if not node.idle:
            continue
        dead = sum(node.states[entry] == State.DEAD for entry in node.idle)
        told = f"{node.name} ({node.kind}): {len(node.idle):,} of {_count(len(node.states), 'unit')}"
        told += f", {dead:,} of them dead"
        if node.channels:
            told += f"; channels {_listed([str(channel.index) for channel in node.channels])} at every position"
        if node.single:
            told += f"; units {_listed([place_name(node, entry) for entry in node.single])}"
        lines.append(told)
    return lines


def _firing(audit: GraphAudit) -> list[str]:
    lines = []
    for node in audit.nodes:
        firing = sorted((node.fires or {}).items(), key=lambda item: (-len(item[1]), item[0]))
        awake = [(entry, rows) for entry, rows in firing if rows]
        if awake:
            entry, rows = awake[0]
            all_rows = {row for _, found in awake for row in found}
            told = f"{node.name}: {_count(len(awake), 'unit')} at {_count(len(all_rows), 'input')}"
            lines.append(f"{told}; most often {place_name(node, entry)}, at rows {_listed(map(str, rows))}")
    sets = together_rows(audit.end)
    return [*lines, *(f"{name} together: at rows {_listed(map(str, rows))}" for name, rows in sets)]


def _reading(audit: GraphAudit) -> list[str]:
    if audit.unpriced:
        return [f"No features are priced: {audit.unpriced}."]
    return independence_lines(audit.end)


def _boxes(audit: GraphAudit) -> list[str]:
    lines = []
    names = {node.node: node.name for node in audit.nodes}
    for box in audit.boxes:
        whole = len(box.still) + len(box.acts) + len(box.undecided)
        parts = [f"{len(box.still):,} of {_count(whole, 'idle unit')} surely idle there too"] * bool(box.still)
        parts += [f"{len(box.acts):,} of {_count(whole, 'idle unit')} act"] * bool(box.acts)
        parts += [f"{len(box.undecided):,} undecided: {box.reason}"] * bool(box.undecided)
        lines.append(f"{box.box}, {names[box.node]}: {'; '.join(parts)}")
    return lines


def _improved(audit: GraphAudit) -> list[str]:
    found = audit.improvement
    if found is None:
        return [f"None is shown: {audit.unimproved}."] if audit.unimproved else []
    node = next(node for node in audit.nodes if node.node == found.node)
    names = _listed([place_name(node, one.unit) for one in found.units])
    many = "unit" if len(found.units) == 1 else "units"
    before, after = (_enclosure(loss) for loss in (found.loss_before, found.loss_after))
    lines = [f"Train-idle {many} {names} of {node.name}, reused, with another output bias: {before} becomes {after}."]
    least = found.loss_before.low - found.loss_after.high
    lines.append(f"It falls by at least {_number(least)}. Every layer keeps its shape and type.")
    return [*lines, *([f"That network is {found.file} in the folder."] if found.file else [])]


def _assumed(audit: GraphAudit) -> list[str]:
    reading = audit.net.reading
    if reading is None:
        return []
    lines = [f"{reading.cut} at the end is left off: outputs here are the values before it."] * bool(reading.cut)
    return [*lines, *reading.notes]


def _float32(audit: GraphAudit) -> str:
    """How far float32 is off, or why that is not bounded; nothing of another type, or where time was out."""
    if audit.float32_deviation is not None:
        return f"at most {float(audit.float32_deviation):.3g} from the exact outputs, on these rows"
    if audit.net.dtype != "float32" or any(line.startswith("float32") for line in audit.undecided):
        return ""
    if audit.net.reading and audit.net.reading.multiplied:
        return "no bound: a layer here is the product of several that the network evaluates one after the other"
    return "no bound: in the worst case the roundings of layers in a row grow beyond what float32 holds"


def tables(audit: GraphAudit, limit: int) -> tuple[Table, ...]:
    """The network, its activation nodes, and the units that fire, cut to `limit` rows."""
    net, data = audit.net, audit.data
    facts = [
        ("network", f"{net.source}: {net.nodes} nodes, {net.parameters:,} parameters, {net.dtype}"),
        ("reads", f"{_shape(net.input_shape)}, gives {_shape(net.output_shape)}"),
        ("data", f"{data.source}: {_count(data.rows, 'row')}, {data.distinct_inputs:,} distinct"),
    ]
    if data.loss:
        facts.append(("loss", f"{data.loss_name}: {_enclosure(data.loss)} ({data.loss_reason})"))
    if data.noise_floor:
        facts.append(("noise floor", _enclosure(data.noise_floor)))
    if told := _float32(audit):
        facts.append(("float32", told))
    layers = net.reading.layers if net.reading else ()
    facts += [("" if k else "layers", layer) for k, layer in enumerate(layers[:limit])]
    facts += [("", f"… {len(layers) - limit} more")] * (len(layers) > limit)
    nodes = [
        (
            node.name, node.kind, _shape(node.shape), f"{int((node.states == State.DEAD).sum()):,}",
            f"{int((node.states == State.CONSTANT).sum()):,}", f"{node.undecided:,}",
        )
        for node in audit.nodes
    ]  # fmt: skip
    found = [
        Table("The network and the data", ("", ""), tuple(facts)),
        Table("Hidden units", ("node", "kind", "shape", ">dead", ">constant", ">open"), tuple(nodes[:limit]),
              max(0, len(nodes) - limit)),
    ]  # fmt: skip
    awake = [(node, entry, rows) for node in audit.nodes for entry, rows in (node.fires or {}).items() if rows]
    awake.sort(key=lambda one: -len(one[2]))
    firing = [
        (unit_name(node, k), _number(node.sent(k)), f"{len(rows):,}", _listed(map(str, rows)))
        for node, k, rows in awake
    ]
    if firing:
        heads = ("unit", ">in training", ">fires at", "rows")
        found.append(Table("Units that fire", heads, tuple(firing[:limit]), max(0, len(firing) - limit)))
    return (*found, *price_table(audit.end, limit))


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else "")


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(lines[:_MOST]) + ((f"… {len(lines) - _MOST} more",) if len(lines) > _MOST else ())


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}{'' if amount == 1 else 's'}"


def _number(value: Fraction | None) -> str:
    """In six digits; the JSON report has all."""
    return "not rational" if value is None else f"{float(value):.6g}"


def _enclosure(value: Enclosure) -> str:
    if value.is_exact and Fraction(f"{float(value.low):.6g}") == value.low:
        return _number(value.low)
    low, high = _number(value.low), _number(value.high)
    return f"≈ {low}" if low == high else f"≈ {low} to {high}"
