"""Files as a reader sees them: Coq with its words coloured, JSON with a row of numbers to a line."""

import json

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

__all__ = ["coq", "readable"]

WIDTH = 100


def coq(text: str) -> Markup:
    """Coq source as HTML; style.css has the colours."""
    shown = highlight(text, get_lexer_by_name("coq", stripnl=False), HtmlFormatter(nowrap=True))
    # To Pygments it is the word of "without loss"; here it is a function.
    shown = shown.replace('<span class="k">loss</span>', '<span class="n">loss</span>')
    return Markup(shown.rstrip("\n"))


def readable(value: object, indent: int = 0) -> str:
    """JSON in which what fits on a line stands on one.

    Examples
    --------
    >>> print(readable({"a": [1, 2], "b": {"c": ["1/3"] * 20}}))
    {
     "a": [1, 2],
     "b": {
      "c": [
       "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3", "1/3",
       "1/3", "1/3", "1/3", "1/3", "1/3", "1/3"
      ]
     }
    }
    """
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(line) + indent <= WIDTH:
        return line
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(k, ensure_ascii=False)}: {readable(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    if any(isinstance(part, dict | list) for part in value):
        parts = [inner + readable(part, indent + 1) for part in value]
        return "[\n" + ",\n".join(parts) + "\n" + " " * indent + "]"
    lines, current = [], ""
    for part in (json.dumps(v, ensure_ascii=False) for v in value):
        if current and len(inner) + len(current) + len(part) + 2 > WIDTH + 2:
            lines.append(current)
            current = ""
        current += (", " if current else "") + part
    return "[\n" + ",\n".join(inner + text for text in [*lines, current]) + "\n" + " " * indent + "]"
