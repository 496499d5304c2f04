"""An SVG under construction, and the colour of its text; written by the standard library's XML writer."""

from xml.etree import ElementTree

__all__ = ["INK", "Picture"]

INK = "#1f2933"


class Picture:
    """An SVG under construction."""

    def __init__(self, width: float, height: float, title: str):
        self.root = ElementTree.Element(
            "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width:g} {height:g}", width=f"{width:g}",
            height=f"{height:g}", role="img",
            attrib={"font-family": "system-ui, sans-serif", "font-size": "13"},
        )  # fmt: skip
        ElementTree.SubElement(self.root, "title").text = title
        self.add("rect", width=width, height=height, fill="#ffffff")
        marker = self.add(
            "marker", id="arrow", viewBox="0 0 10 10", refX=10, refY=5, markerWidth=7, markerHeight=7, orient="auto"
        )
        ElementTree.SubElement(marker, "path", d="M0 0L10 5L0 10z", fill="#52606d")

    def add(self, tag: str, text: str | None = None, **attributes) -> ElementTree.Element:
        """Add an element; numbers are written short, underscores in names become hyphens."""
        named = {
            key.replace("_", "-"): f"{value:g}" if isinstance(value, float | int) else value
            for key, value in attributes.items()
        }
        element = ElementTree.SubElement(self.root, tag, named)
        element.text = text
        return element

    def text(self) -> str:
        """The file's content."""
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"
