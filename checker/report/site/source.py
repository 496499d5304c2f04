"""Files as a reader sees them: Coq with its words coloured, JSON with a row of numbers to a line."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from markupsafe import Markup, escape
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Name, _TokenType

__all__ = ["coq", "readable", "tokens"]

WIDTH = 100
# Kinds of words that style.css leaves as they are.
_PLAIN = ("", "n", "w", "o")


def tokens(text: str) -> Iterator[tuple[int, _TokenType, str]]:
    """The words of a Coq source: where each begins, its kind for Pygments, and the word."""
    for at, kind, word in get_lexer_by_name("coq", stripnl=False).get_tokens_unprocessed(text):
        # To Pygments "loss" is the word of "without loss"; here it is a function.
        yield at, Name if word == "loss" else kind, word


def coq(text: str, begin: int = 0, marks: Mapping[tuple[int, int], Markup] = MappingProxyType({})) -> Markup:
    """Coq source as HTML; style.css has the colours.

    `marks` has for words, from one place up to another, the tag that opens around them; `begin` is where `text` begins.
    No two of them overlap.
    """
    opens = {first - begin: tag for (first, _), tag in marks.items()}
    ends = {last - begin: Markup("</{}>").format(tag.split()[0][1:]) for (_, last), tag in marks.items()}
    cuts = sorted({*opens, *ends})
    parts: list[Markup] = []
    for at, kind, word in tokens(text):
        name = STANDARD_TYPES.get(kind, "")
        edges = [at, *cuts[bisect_right(cuts, at) : bisect_left(cuts, at + len(word))], at + len(word)]
        for first, last in pairwise(edges):
            shown = escape(text[first:last])
            parts += [ends.get(first, Markup("")), opens.get(first, Markup(""))]
            parts.append(Markup('<span class="{}">{}</span>').format(name, shown) if name not in _PLAIN else shown)
    parts.append(ends.get(len(text), Markup("")))
    return Markup("").join(parts)


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
