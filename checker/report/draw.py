"""SVG pictures: the claim graph with its status, a net with a circuit marked, what a certificate shows.

Layout by networkx (layers of the topological order).
"""

from collections.abc import Mapping
from fractions import Fraction
from xml.etree import ElementTree

import networkx as nx

from proof_of_absence.checker.kernel.claims import Status
from proof_of_absence.checker.kernel.obligation import Scope, Verdict
from proof_of_absence.checker.report.overview import scopes
from proof_of_absence.checker.report.price_curve import curve_in, curve_picture
from proof_of_absence.checker.report.svg import INK, Picture
from proof_of_absence.models.circuit import Unit, to_graph
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

__all__ = ["claims", "net_in", "net_picture", "picture_of"]

FILL = {
    Verdict.PROVED: "#d7f0dc",
    Verdict.REFUTED: "#f9d2d2",
    Verdict.UNKNOWN: "#fbeec2",
    Verdict.ERROR: "#e7d6f5",
    Verdict.BLOCKED: "#e4e4e4",
}
CIRCUIT, FAINT, POSITIVE, NEGATIVE = "#c2410c", "#cbd2d9", "#2563eb", "#b91c1c"
BOX = (270, 62)
GAP = (96, 28)
LEGEND, BACK = 26, 14


def claims(graph: nx.DiGraph, status: Mapping[str, Status]) -> str:
    """The claim graph: arrows from a claim to those that rest on it,
    dashed from a countermodel to the claim it guards.
    """
    layout = graph.copy()
    guards = [(name, claim.drops.claim) for name, claim in graph.nodes(data="claim") if claim.drops]
    # A countermodel may rest on the claim that it guards; then its dashed arrow goes back.
    back = [(name, guarded) for name, guarded in guards if nx.has_path(graph, guarded, name)]
    layout.add_edges_from(set(guards) - set(back))
    # Each claim as far right as what rests on it allows, so that no arrow passes behind a box.
    layers = list(nx.topological_generations(layout.reverse()))[::-1]
    rows = max(map(len, layers))
    width = len(layers) * (BOX[0] + GAP[0]) - GAP[0] + 40
    height = rows * (BOX[1] + GAP[1]) + 24 + LEGEND
    picture = Picture(width, height, "Claims and what they rest on")
    place = {}
    for column, layer in enumerate(layers):
        top = 20 + (rows - len(layer)) * (BOX[1] + GAP[1]) / 2
        for row, name in enumerate(sorted(layer)):
            place[name] = (20 + column * (BOX[0] + GAP[0]), top + row * (BOX[1] + GAP[1]))
    # An edge that the others imply would only cross them.
    shown = nx.transitive_reduction(layout)
    for source, target in sorted([*shown.edges, *back]):
        x0, y0 = place[source][0] + BOX[0], place[source][1] + BOX[1] / 2
        x1, y1 = place[target][0], place[target][1] + BOX[1] / 2
        if (source, target) in back:
            # From side to side, below the arrow that goes the other way.
            x0, x1, y0, y1 = x0 - BOX[0], x1 + BOX[0], y0 + BACK, y1 + BACK
        bend = (x1 - x0) / 2
        dashed = {} if graph.has_edge(source, target) else {"stroke_dasharray": "6 4"}
        picture.add(
            "path", d=f"M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}", fill="none",
            stroke="#52606d", stroke_width=1.5, marker_end="url(#arrow)", **dashed,
        )  # fmt: skip
    for name, claim in graph.nodes(data="claim"):
        x, y = place[name]
        closed = status[name].closed
        words = "+".join(scopes(claim)).replace(Scope.CLASSICAL, "classical")
        picture.add("rect", x=x, y=y, width=BOX[0], height=BOX[1], rx=8, fill=FILL[closed], stroke=INK)
        picture.add("text", f"{name}  {claim.title}", x=x + 10, y=y + 20, fill=INK, font_weight="600")
        picture.add("text", words, x=x + 10, y=y + 38, fill=INK, font_size=11)
        picture.add("text", closed.value, x=x + 10, y=y + 54, fill=INK, font_size=11)
    x = 20.0
    for verdict in Verdict:
        picture.add("rect", x=x, y=height - 24, width=14, height=14, rx=3, fill=FILL[verdict], stroke=INK)
        picture.add("text", verdict.value, x=x + 20, y=height - 12, fill=INK, font_size=11)
        x += 100
    note = "arrow: the right claim rests on the left one; dashed: countermodel, shows a premise necessary"
    picture.add("text", note, x=x, y=height - 12, fill=INK, font_size=11)
    return picture.text()


def picture_of(fact: dict) -> str:
    """The curve of prices in a fact; or the net in it, with the fact's circuit marked. Raises as `net_in` does."""
    if curve := curve_in(fact):
        return curve_picture(curve)
    return net_picture(*net_in(fact))


def net_in(fact: dict) -> tuple[MLP, set[Unit]]:
    """The first net in a fact, and the fact's circuit, empty if it has none.

    Raises
    ------
    LookupError
        If the fact holds no net.
    """
    for part in _parts(fact):
        for key in ("before", "net", "left", "model"):
            if isinstance(part.get(key), list):
                net = MLP(tuple(Affine(layer["weights"], layer["bias"]) for layer in part[key]))
                return net, {Unit(*unit) for unit in part.get("circuit", [])}
    raise LookupError("the certificate holds no net")


def _parts(fact: dict) -> list[dict]:
    return [fact] + [p for part in fact.get("facts", []) for p in _parts(part)]


def net_picture(net: MLP, circuit: set[Unit]) -> str:
    """Units in columns, edges of nonzero weight; the circuit's units and edges stand out."""
    graph = to_graph(net)
    radius, column, row = 21, 210, 62
    tallest = max(net.widths)
    height = tallest * row + 40 + LEGEND
    picture = Picture(len(net.widths) * column, height, "A net and its circuit")
    place = {
        unit: (
            column / 2 + unit.layer * column,
            20 + row / 2 + (unit.index + (tallest - net.widths[unit.layer]) / 2) * row,
        )
        for unit in graph
    }
    for source, target, weight in graph.edges(data="weight"):
        if weight:
            (x0, y0), (x1, y1) = place[source], place[target]
            # Stop at the rim of the circles, so that labels stay readable.
            length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
            dx, dy = (x1 - x0) / length * radius, (y1 - y0) / length * radius
            marked = source in circuit or target in circuit
            line = picture.add(
                "line", x1=x0 + dx, y1=y0 + dy, x2=x1 - dx, y2=y1 - dy,
                stroke=POSITIVE if weight > 0 else NEGATIVE, stroke_width=2.6 if marked else 1.2,
                stroke_opacity=1 if marked else 0.45,
            )  # fmt: skip
            ElementTree.SubElement(line, "title").text = f"{tuple(source)} to {tuple(target)}: {weight}"
    for unit, (x, y) in place.items():
        kind, bias = graph.nodes[unit]["kind"], graph.nodes[unit]["bias"]
        inside = unit in circuit
        idle_looking = not any(w for *_, w in graph.in_edges(unit, data="weight")) and kind == "hidden"
        stroke = CIRCUIT if inside else FAINT if idle_looking else INK
        circle = picture.add("circle", cx=x, cy=y, r=radius, fill="#fff3ea" if inside else "#ffffff", stroke=stroke,
                             stroke_width=3 if inside else 1.5)  # fmt: skip
        ElementTree.SubElement(circle, "title").text = f"{kind} {tuple(unit)}, bias {bias}"
        label = {"input": f"z{unit.index}", "output": f"f{unit.index}"}.get(kind, _short(bias))
        picture.add("text", label, x=x, y=y + 4, fill=INK, text_anchor="middle", font_size=11)
    note = "blue: positive weight, red: negative; in a hidden unit its bias; orange: the circuit"
    picture.add("text", note, x=20, y=height - 12, fill=INK, font_size=11)
    return picture.text()


def _short(value: Fraction) -> str:
    return str(value) if len(str(value)) <= 5 else f"{float(value):.3g}"
