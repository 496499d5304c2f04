"""What a terminal of 80 columns shows, and whether every word of it is whole there."""

from collections.abc import Iterable
from io import StringIO

from rich.cells import cell_len
from rich.console import Console, RenderableType

WIDTH = 80


def narrow(shown: RenderableType) -> str:
    """The text that 80 columns hold."""
    console = Console(file=StringIO(), width=WIDTH)
    console.print(shown)
    return console.file.getvalue()


def assert_whole(text: str, cells: Iterable[str]) -> None:
    """Each word of the cells stands in the text uncut, and no line is longer than the terminal."""
    words = {word for cell in cells for word in cell.split()}
    assert words and words <= set(text.split()), sorted(words - set(text.split()))
    assert max(map(cell_len, text.splitlines())) <= WIDTH
