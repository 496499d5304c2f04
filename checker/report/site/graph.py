"""The claim graph as an SVG in the page: every claim a link, in an order that the Tab key follows,
coloured by style.css.

Layered: each claim right of all that it rests on. Countermodels stand in a strip below, for they support nothing.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from xml.etree import ElementTree

import networkx as nx

from proof_of_absence.checker.report.site.status import Mark

__all__ = ["below", "layers", "picture"]

BOX, GAP, EDGE = (206, 54), (50, 18), 4
# Titles longer than this many letters are set closer, so that they stay in their box in any font.
LONG = 21
STRIP = 4
Node = str | tuple[str, str, int]


def below(graph: nx.DiGraph, name: str) -> nx.DiGraph:
    """The part of the graph of claims that one rests on, and that claim, in the order of the whole."""
    wanted = {name} | nx.ancestors(graph, name)
    part = nx.DiGraph()
    part.add_nodes_from((other, graph.nodes[other]) for other in graph if other in wanted)
    part.add_edges_from(edge for edge in graph.edges if wanted.issuperset(edge))
    return part


def picture(
    graph: nx.DiGraph,
    marks: Mapping[str, Mark],
    others: Mapping[str, tuple[Mark, ...]],
    address: Callable[[str], str],
    title: str = "The claims and what they rest on",
    desc: str = "Each box is a link to a claim's page. The list below says the same in words.",
) -> str:
    """The graph of claims (see `checker.kernel.claims.claim_graph`), an arrow from each claim to those that rest on it.

    An arrow that others imply is left out. `others` are marks of further scopes, drawn small. `title` and `desc` are
    for those who hear the picture.
    """
    countermodels = [name for name, claim in graph.nodes(data="claim") if claim.drops]
    # Not a view of the graph, which goes through its nodes in no fixed order.
    chain = nx.DiGraph()
    chain.add_nodes_from(name for name, claim in graph.nodes(data="claim") if not claim.drops)
    chain.add_edges_from(edge for edge in graph.edges if not set(edge) & set(countermodels))
    columns, edges = layers(chain)
    tallest = max(map(len, columns), default=1)
    width = EDGE * 2 + len(columns) * (BOX[0] + GAP[0]) - GAP[0]
    if countermodels:
        width = max(width, EDGE * 2 + STRIP * (BOX[0] + GAP[0]) - GAP[0])
    top = tallest * (BOX[1] + GAP[1]) + 40
    height = top + -(-len(countermodels) // STRIP) * (BOX[1] + GAP[1]) if countermodels else top - 40
    root = ElementTree.Element(
        "svg", {"class": "graph", "viewBox": f"0 0 {width} {height}", "width": f"{width}", "height": f"{height}",
                "role": "group", "aria-labelledby": "graph-title graph-desc"},
    )  # fmt: skip
    _add(root, "title", title, id="graph-title")
    _add(root, "desc", desc, id="graph-desc")
    marker = _add(root, "marker", id="arrow", viewBox="0 0 10 10", refX=9, refY=5, markerWidth=7, markerHeight=7,
                  orient="auto")  # fmt: skip
    _add(marker, "path", d="M0 0L10 5L0 10z")
    place: dict[Node, tuple[float, float]] = {}
    for column, layer in enumerate(columns):
        for row, node in enumerate(layer):
            y = EDGE + (row + (tallest - len(layer)) / 2) * (BOX[1] + GAP[1])
            place[node] = (EDGE + column * (BOX[0] + GAP[0]), y)
    arrows = _add(root, "g", class_="arrows", aria_hidden="true")
    for source, target in edges:
        _arrow(arrows, place[source], place[target], isinstance(source, tuple), isinstance(target, tuple))
    for name in chain:
        _box(root, *place[name], name, graph.nodes[name]["claim"].title, (marks[name], *others[name]), address(name))
    if countermodels:
        about = sorted({graph.nodes[name]["claim"].drops.claim for name in countermodels})
        _add(
            root,
            "text",
            f"Countermodels: each drops one premise of {', '.join(about)}",
            class_="strip",
            x=EDGE,
            y=top - 16,
        )
    for i, name in enumerate(countermodels):
        x, y = EDGE + i % STRIP * (BOX[0] + GAP[0]), top + i // STRIP * (BOX[1] + GAP[1])
        _box(root, x, y, name, graph.nodes[name]["claim"].title, (marks[name], *others[name]), address(name))
    return ElementTree.tostring(root, encoding="unicode")


def layers(graph: nx.DiGraph) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Columns of nodes with few crossings, and the edges, each from one column to the next.

    An edge over several columns passes through nodes of its own, which are triples. Each node is in the first column
    that what it rests on allows; one that rests on nothing, in the last.
    """
    column = {name: i for i, layer in enumerate(nx.topological_generations(graph)) for name in layer}
    for name in graph:
        if not graph.in_degree(name) and graph.out_degree(name):
            column[name] = min(column[target] for target in graph.successors(name)) - 1
    shown = nx.transitive_reduction(graph)
    columns: list[list[Node]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    for name in graph:
        columns[column[name]].append(name)
    edges: list[tuple[Node, Node]] = []
    order = list(graph)
    for source, target in sorted(shown.edges, key=lambda edge: tuple(map(order.index, edge))):
        between = [(source, target, i) for i in range(column[source] + 1, column[target])]
        for node in between:
            columns[node[2]].append(node)
        edges += pairwise([source, *between, target])
    best = [list(layer) for layer in columns]
    for sweep in range(12):
        forward = sweep % 2 == 0
        for i in range(len(columns)) if forward else reversed(range(len(columns))):
            at = {node: row / len(layer) for layer in columns for row, node in enumerate(layer)}
            beside = {node: [] for node in columns[i]}
            for source, target in edges:
                if forward and target in beside:
                    beside[target].append(at[source])
                elif not forward and source in beside:
                    beside[source].append(at[target])
            columns[i].sort(key=lambda node: sum(beside[node]) / len(beside[node]) if beside[node] else at[node])
        if _crossings(columns, edges) < _crossings(best, edges):
            best = [list(layer) for layer in columns]
    return best, edges


def _crossings(columns: list[list[Node]], edges: list[tuple[Node, Node]]) -> int:
    at = {node: (i, row) for i, layer in enumerate(columns) for row, node in enumerate(layer)}
    ends = [(at[source], at[target]) for source, target in edges]
    return sum(a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for i, (a, b) in enumerate(ends) for c, d in ends[:i])


def _add(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes) -> ElementTree.Element:
    """Add an element; numbers are written short, underscores in names become hyphens (``class_`` is ``class``)."""
    named = {
        key.rstrip("_").replace("_", "-"): value if isinstance(value, str) else f"{value:g}"
        for key, value in attributes.items()
    }
    element = ElementTree.SubElement(parent, tag, named)
    element.text = text
    return element


def _arrow(parent, start: tuple[float, float], end: tuple[float, float], passing: bool, goes_on: bool) -> None:
    """A curve to the next column; where it passes through a column it is straight there, and has no head."""
    x0, y0, x1, y1 = start[0] + BOX[0], start[1] + BOX[1] / 2, end[0], end[1] + BOX[1] / 2
    bend = (x1 - x0) / 2
    through = f"M{start[0]:g} {y0:g}H{x0:g}" if passing else f"M{x0:g} {y0:g}"
    path = f"{through}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"
    _add(parent, "path", d=path, **({} if goes_on else {"marker_end": "url(#arrow)"}))


def _box(parent, x: float, y: float, name: str, title: str, marks: tuple[Mark, ...], address: str) -> None:
    mark, *others = marks
    also = f"; parts {', '.join(other.word for other in others)}" if others else ""
    label = f"{name}, {title}: {mark.word}{also}"
    link = _add(parent, "a", href=address, class_=f"claim {mark.key}", aria_label=label)
    _add(link, "title", f"{name} {title}: {mark.word}, {mark.meaning}{also}")
    _add(link, "rect", class_="box", x=x, y=y, width=BOX[0], height=BOX[1], rx=8)
    text = f"{name} {title}"
    closer = {"textLength": BOX[0] - 24, "lengthAdjust": "spacingAndGlyphs"} if len(text) > LONG else {}
    _add(link, "text", text, class_="name", x=x + 12, y=y + 22, **closer)
    link.append(mark.element(transform=f"translate({x + 19:g} {y + 39:g})"))
    _add(link, "text", mark.word, x=x + 34, y=y + 43.5)
    for i, other in enumerate(reversed(others)):
        # In its own colours, on the box of another.
        spot = _add(link, "g", class_=f"also {other.key}")
        at = f"translate({x + BOX[0] - 12 - 13 * i:g} {y + 39:g}) scale(.62)"
        spot.append(other.element(transform=at))
