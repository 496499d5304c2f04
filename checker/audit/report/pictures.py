"""SVG pictures of an audit: the net with its idle circuits, and bar charts, of widths in percent: text keeps its size.

Each has a title and a description for those who do not see it. It shows nothing that no table of the report says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, islice, pairwise, product
from xml.etree import ElementTree

from proof_of_absence.checker.audit.findings import Audit, CircuitFinding
from proof_of_absence.checker.audit.report.words import names, unit_name
from proof_of_absence.models.circuit import Unit

__all__ = ["Bar", "bars", "columns", "graph", "histogram"]

# Ink and accent reach a contrast of 4.5 on white.
INK, MUTED, FAINT, PLAIN, ACCENT, PALE = "#1f2933", "#52606d", "#d3dae1", "#2563eb", "#c2410c", "#f3c5ab"
PER_LAYER = 16
# The height of a row of units.
ROW = 38
# The height of a histogram, the classes of it that can be labelled on a phone, and the looks of its parts.
HISTOGRAM, TOLD = 150, 6
SERIES = ("#94a3b0", PLAIN, ACCENT)
# The middle of a unit, across in percent and down in pixels.
Place = tuple[str, float]


@dataclass(frozen=True)
class Bar:
    """One bar: its label, length (>= 0), the length as text, whether it stands out, and a length to compare with."""

    label: str
    length: float
    text: str
    accent: bool = False
    mark: float | None = None


class _Picture:
    """An SVG as wide as its place and `height` pixels tall."""

    def __init__(self, height: float, title: str, description: str):
        # Two pictures on one page share no title, and must not share an id; a page made again is the same page.
        name = f"picture{sha256(title.encode()).hexdigest()[:12]}"
        self.root = ElementTree.Element(
            "svg", width="100%", height=f"{height:g}", role="img",
            attrib={"aria-labelledby": f"{name}t {name}d", "font-size": "13"},
        )  # fmt: skip
        ElementTree.SubElement(self.root, "title", id=f"{name}t").text = title
        ElementTree.SubElement(self.root, "desc", id=f"{name}d").text = description

    def add(self, tag: str, text: str | None = None, tip: str | None = None, **attributes) -> None:
        """Add an element; numbers are written short, underscores in names become hyphens."""
        named = {
            key.replace("_", "-"): value if isinstance(value, str) else f"{value:g}"
            for key, value in attributes.items()
        }
        element = ElementTree.SubElement(self.root, tag, named)
        element.text = text
        if tip:
            ElementTree.SubElement(element, "title").text = tip

    def __str__(self) -> str:
        return ElementTree.tostring(self.root, encoding="unicode")


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars, each under its label; a mark shows the second length."""
    top = max([bar.length for bar in rows] + [bar.mark or 0 for bar in rows]) or 1
    picture = _Picture(len(rows) * 36 + 4, title, "; ".join(f"{bar.label}: {bar.text}" for bar in rows))
    for y, bar in zip(count(14, 36), rows, strict=False):
        picture.add("text", bar.label, x=0, y=y, fill=INK)
        picture.add("text", bar.text, x="100%", y=y, fill=INK, text_anchor="end")
        picture.add("rect", x=0, y=y + 5, width="100%", height=10, fill="#eef1f4")
        fill = ACCENT if bar.accent else PLAIN
        picture.add("rect", x=0, y=y + 5, width=f"{100 * bar.length / top:.4g}%", height=10, fill=fill)
        if bar.mark is not None:
            x = f"{min(99.6, 100 * bar.mark / top):.4g}%"
            picture.add("line", x1=x, x2=x, y1=y + 2, y2=y + 18, stroke=INK, stroke_width=2)
    return str(picture)


def columns(title: str, heights: Sequence[int], labels: Sequence[str]) -> str:
    """Upright bars side by side, the first, middle and last labelled; for many of them."""
    top, tall, width = max(heights, default=0) or 1, 120, 100 / max(1, len(heights))
    picture = _Picture(tall + 40, title, "; ".join(f"{a}: {h}" for a, h in zip(labels, heights, strict=True)))
    picture.add("text", f"{top}", x=0, y=12, fill=MUTED)
    picture.add("line", x1=0, x2="100%", y1=tall + 18, y2=tall + 18, stroke=MUTED)
    for i, height in enumerate(heights):
        size = tall * height / top
        picture.add(
            "rect", tip=f"{labels[i]}: {height}", x=f"{(i + 0.1) * width:.4g}%", y=tall + 18 - size,
            width=f"{0.8 * width:.4g}%", height=size, fill=ACCENT,
        )  # fmt: skip
    last = len(heights) - 1
    for i, anchor in {0: "start", last // 2: "middle", last: "end"}.items() if last > 1 else [(0, "start")]:
        x = {"start": "0%", "end": "100%"}.get(anchor, f"{(i + 0.5) * width:.4g}%")
        picture.add("text", labels[i], x=x, y=tall + 34, fill=MUTED, text_anchor=anchor)
    return str(picture)


def histogram(title: str, labels: Sequence[str], parts: Mapping[str, Sequence[int]]) -> str:
    """Upright bars side by side in each class, one for each part: the share of that part which is in the class."""
    shares = {part: [n / (sum(counts) or 1) for n in counts] for part, counts in parts.items()}
    top = max((share for of in shares.values() for share in of), default=0) or 1
    told = (f"{part}: {', '.join(f'{a} {n}' for a, n in zip(labels, counts, strict=True) if n)}"
            for part, counts in parts.items())  # fmt: skip
    picture = _Picture(HISTOGRAM + 66, title, "; ".join(told))
    looks = dict(zip(parts, SERIES, strict=False))
    for place, part in enumerate(parts):
        x = f"{place * 33:g}%"
        picture.add("rect", x=x, y=4, width=12, height=12, fill=looks[part])
        picture.add("text", part, x=x, y=15, dx=18, fill=INK)
    floor, width = HISTOGRAM + 28, 100 / max(1, len(labels))
    picture.add("line", x1=0, x2="100%", y1=floor, y2=floor, stroke=MUTED)
    for place, label in enumerate(labels):
        for which, (part, of) in enumerate(shares.items()):
            size, own = HISTOGRAM * of[place] / top, 0.84 * width / len(shares)
            x = f"{(place + 0.08) * width + which * own:.4g}%"
            picture.add(
                "rect", tip=f"{part}, {label}: {parts[part][place]}", x=x,
                y=floor - size, width=f"{own:.4g}%", height=size, fill=looks[part],
            )  # fmt: skip
        if place % (1 + (len(labels) - 1) // TOLD) == 0:
            picture.add("text", label, x=f"{(place + 0.5) * width:.4g}%", y=floor + 16, fill=MUTED,
                        text_anchor="middle", font_size=11)  # fmt: skip
    picture.add("text", f"The tallest bar is {100 * top:.3g} % of its kind.", x=0, y=floor + 34, fill=MUTED)
    return str(picture)


def graph(audit: Audit) -> str:
    """The net, layer by layer from left to right; units of idle circuits stand out, with what they send to.

    Of a wide layer the first units of idle circuits are drawn, then others, up to 16; the number of the rest is told.
    """
    widths, member = audit.net.widths, _members(audit.circuits)
    drawn = [_drawn(layer, width, member) for layer, width in enumerate(widths)]
    rows = max(map(len, drawn))
    height = rows * ROW + 84
    marked = f"{len(member)} of them in train-idle circuits" if member else "none of them in a train-idle circuit"
    description = f"Layers of {', '.join(map(str, widths))} units, {sum(widths[1:-1])} of them hidden, {marked}."
    picture = _Picture(height, "The net and its train-idle circuits", description)
    place = _places(drawn, rows)
    # Later elements lie on earlier ones.
    _connections(picture, drawn, place)
    _sends(picture, audit.circuits, place)
    for unit, at in place.items():
        _unit(picture, unit, at, member.get(unit))
    for layer, width in enumerate(widths):
        _layer(picture, layer, widths, width - len(drawn[layer]), height - 36)
    return str(picture)


def _members(circuits: Iterable[CircuitFinding]) -> dict[Unit, str]:
    """Each unit of an idle circuit, and the name of the first that it is in."""
    member: dict[Unit, str] = {}
    for circuit in circuits:
        for unit in circuit.units:
            member.setdefault(unit, names(circuit.units))
    return member


def _drawn(layer: int, width: int, member: Iterable[Unit]) -> list[Unit]:
    """The units of a layer that are drawn, in order."""
    marked = sorted(unit for unit in member if unit.layer == layer)[:PER_LAYER]
    others = (Unit(layer, i) for i in range(width) if Unit(layer, i) not in set(marked))
    return sorted([*marked, *islice(others, PER_LAYER - len(marked))])


def _places(drawn: Sequence[Sequence[Unit]], rows: int) -> dict[Unit, Place]:
    """Where each unit is drawn: a column for each layer, its units in the middle of it."""
    return {
        unit: (_column(layer, len(drawn)), 26 + ROW * (row + (rows - len(units)) / 2))
        for layer, units in enumerate(drawn)
        for row, unit in enumerate(units)
    }


def _column(layer: int, layers: int) -> str:
    """The middle of a layer's column."""
    return f"{(layer + 0.5) * (100 / layers):.4g}%"


def _connections(picture: _Picture, drawn: Sequence[Sequence[Unit]], place: Mapping[Unit, Place]) -> None:
    """Every connection between layers, where they are few enough to be told apart."""
    for below, above in pairwise(drawn):
        if len(below) * len(above) <= 150:
            for source, target in product(below, above):
                _edge(picture, place[source], place[target], FAINT, 1)


def _sends(picture: _Picture, circuits: Iterable[CircuitFinding], place: Mapping[Unit, Place]) -> None:
    """From the units of each circuit to what reads it in the next layer; pale where there are many."""
    sends = {
        (unit, target)
        for circuit in circuits
        for unit, target in product(circuit.units, circuit.value)
        if unit in place and target in place and target.layer == unit.layer + 1
    }
    stroke = ACCENT if len(sends) <= 60 else PALE
    for unit, target in sorted(sends):
        _edge(picture, place[unit], place[target], stroke, 1.5)


def _edge(picture: _Picture, start: Place, end: Place, stroke: str, width: float) -> None:
    picture.add("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], stroke=stroke, stroke_width=width)


def _unit(picture: _Picture, unit: Unit, at: Place, circuit: str | None) -> None:
    """A circle with the unit's number; it stands out if the unit is in the circuit of that name."""
    (x, y), tip = at, f"unit {unit_name(unit)}"
    look: dict = {"fill": "#ffffff", "stroke": MUTED, "stroke_width": 1.5}
    if circuit is not None:
        tip += f", in the idle circuit {circuit}"
        look = {"fill": "#fde3d3", "stroke": ACCENT, "stroke_width": 3}
    picture.add("circle", tip=tip, cx=x, cy=y, r=14, **look)
    size = 11 if unit.index < 1000 else 8
    picture.add("text", str(unit.index), x=x, y=y + 4, fill=INK, text_anchor="middle", font_size=size)


def _layer(picture: _Picture, layer: int, widths: Sequence[int], rest: int, y: float) -> None:
    """What a layer is, how wide, and how many of its units are not drawn."""
    kind = {0: "input", len(widths) - 1: "output"}.get(layer, f"layer {layer}")
    lines = [kind, f"{widths[layer]} wide", *([f"{rest} not drawn"] if rest else [])]
    x = _column(layer, len(widths))
    for line, text in enumerate(lines):
        picture.add("text", text, x=x, y=y + 16 * line, fill=MUTED, text_anchor="middle", font_size=12)
