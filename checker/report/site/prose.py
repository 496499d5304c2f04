"""Claims' texts as HTML: formulas in MathML, which browsers draw by themselves,
and links from claims' names to their pages.
"""

import re
from collections.abc import Callable
from functools import cache
from html import unescape
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape
from pylatexenc.latex2text import LatexNodes2Text

from proof_of_absence.checker.report.paper.typeset import pieces

__all__ = ["formula", "plain", "prose", "words"]

Link = Callable[[str], str | None]

_DOUBLE_STRUCK = {"N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}
_RELATIONS = {":": ":", "~": "∼"}
# Where a long formula may be broken into lines.
_BREAKS = frozenset("=<>≤≥≠≈∈⊆→⇒⇔+−,")
_LONGEST = 16
# What is drawn in one piece, what may be broken, and what stands between.
_TOKEN = re.compile(r"<math>.*?</math>|<code>.*?</code>|<wbr>|<[^>]+>|\s+|[^<\s]+", re.S)
# A claim, or an obligation of it.
_NAME = re.compile(r"\b[CN][1-9][0-9]*\b(?:\.[a-z][a-z0-9-]*)?")
_PRIMES = {"′", "″", "‴"}


def prose(text: str, link: Link = lambda name: None) -> Markup:
    """A statement or proof in LaTeX; `link` gives the address of the page of a claim, or None.

    Raises
    ------
    ValueError
        If a formula is not understood.

    Examples
    --------
    >>> prose(r"By \\claim{C4}, $s\\neq0$.", {"C4": "C4.html"}.get)
    Markup('By <a href="C4.html">C4</a>, <span class="joined"><math><mi>s</mi><mo>≠</mo><mn>0</mn></math>.</span>')
    """
    parts = text.split("$")
    if len(parts) % 2 == 0:
        raise ValueError(f"a formula is not closed: {text}")
    if "" in parts[1::2]:
        raise ValueError(f"a formula is empty: {text}")
    found = Markup("")
    for between, latex in zip(parts[::2], [*parts[1::2], ""], strict=True):
        found += words(_text(between), link)
        found += formula(latex) if latex else Markup("")
    return _joined(found)


def plain(text: str, link: Link = lambda name: None) -> Markup:
    """Plain text as premises and obligations have it, its formulas drawn as the paper sets them.

    What is not understood stays as it is.

    Examples
    --------
    >>> plain("See C4.", {"C4": "C4.html"}.get)
    Markup('See <a href="C4.html">C4</a>.')
    >>> plain("At S_n, too.")
    Markup('At <span class="joined"><math><msub><mi>S</mi><mrow><mi>n</mi></mrow></msub></math>,</span> too.')
    """
    # Formulas beside each other are one, so that a power stands at what it is of.
    parts: list[tuple[str, str]] = []
    for kind, piece in pieces(text):
        if kind == "formula" and parts and parts[-1][0] == "formula":
            parts[-1] = kind, f"{parts[-1][1]} {piece}"
        else:
            parts.append((kind, piece))
    found = Markup("")
    try:
        for kind, piece in parts:
            if kind == "formula":
                found += formula(piece)
            elif kind == "code":
                found += Markup("<code>{}</code>").format(piece)
            else:
                found += words(piece, link)
    except ValueError:
        return words(text, link)
    return _joined(found)


def _joined(html: Markup) -> Markup:
    """What has no space in it and a formula stays on one line: browsers else break before and after a formula."""
    found: list[str] = []
    run: list[str] = []
    for token in [*_TOKEN.findall(html), " "]:
        if not token.isspace() and token != "<wbr>":
            run.append(token)
            continue
        whole = "".join(run)
        found += [f'<span class="joined">{whole}</span>' if "<math>" in whole else whole, token]
        run = []
    return Markup("".join(found[:-1]))


def words(text: str, link: Link = lambda name: None) -> Markup:
    """Plain text, with the names of claims and obligations as links."""
    found, at = Markup(""), 0
    for match in _NAME.finditer(text):
        address = link(match.group())
        if address:
            found += escape(text[at : match.start()]) + Markup('<a href="{}">{}</a>').format(address, match.group())
            at = match.end()
    return found + escape(text[at:])


def _text(latex: str) -> str:
    latex = re.sub(r"\\claim\{(\w+)\}", r"\1", latex)
    return LatexNodes2Text().latex_to_text(latex) if re.search(r"[\\{}~]", latex) else latex


@cache
def formula(latex: str) -> Markup:
    """One formula as MathML. A long one comes in several pieces, between which a line may end.

    Raises
    ------
    ValueError
        If it is not understood.
    """
    try:
        (row,) = convert_to_element(latex)
    except Exception as error:
        raise ValueError(f"the formula {latex} is not understood: {type(error).__name__}") from error
    _set(row)
    if len(row) == 1 and row[0].tag == "mo":
        # A sign by itself stands between words, whose spaces suffice.
        row[0].attrib |= {"lspace": "0", "rspace": "0"}
    text = "".join(row.itertext())
    if "\\" in text:
        raise ValueError(f"the formula {latex} is not understood: it would show as {text}")
    pieces: list[list[ElementTree.Element]] = [[]]
    for element in row:
        pieces[-1].append(element)
        if element.tag == "mo" and element.text in _BREAKS and len(text) > _LONGEST:
            pieces.append([])
    return Markup("<wbr>").join(_math(piece) for piece in pieces if piece)


def _math(elements: list[ElementTree.Element]) -> Markup:
    root = ElementTree.Element("math")
    root.extend(elements)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _set(parent: ElementTree.Element) -> None:
    """Bring the tree to what browsers draw as TeX does: whole words upright, no space about bars and slashes."""
    for i, element in enumerate(parent):
        element.text = unescape(element.text or "") or None
        letters = list(element)
        upright = [letter.get("mathvariant") == "normal" for letter in letters]
        if element.tag == "mrow" and len(letters) > 1 and all(upright):
            word = ElementTree.Element("mi")
            word.text = "".join(letter.text or "" for letter in letters)
            parent[i] = element = word
        alphabet = element.attrib.get("mathvariant", "normal")
        if alphabet != "normal":
            # Browsers draw no other alphabet by this attribute, but every letter that has a character of its own.
            if alphabet != "double-struck" or element.text not in _DOUBLE_STRUCK:
                raise ValueError(f"{element.text} in {alphabet} letters is not understood")
            del element.attrib["mathvariant"]
            element.text = _DOUBLE_STRUCK[element.text]
        if element.text in _RELATIONS:
            element.tag, element.text = "mo", _RELATIONS[element.text]
        if element.tag == "mo" and element.text in ("|", "/"):
            element.attrib |= {"lspace": "0", "rspace": "0"}
        if element.tag == "mo" and (element.text or "").isalpha():
            # inf, min: the sign before it has its own space.
            element.attrib["lspace"] = "0"
        _set(element)
        if element.tag in ("msup", "msubsup") and element[-1].text in _PRIMES:
            _prime(element, list(element))


def _prime(element: ElementTree.Element, letters: list[ElementTree.Element]) -> None:
    """A prime stands beside what it is of: fonts draw it small and high already, and as a power it would be a dot."""
    base, *index, prime = letters
    prime.tag, prime.attrib = "mo", {"lspace": "0", "rspace": "0"}
    for letter in letters:
        element.remove(letter)
    row = ElementTree.Element("mrow")
    row.extend([base, prime])
    element.tag = "msub" if index else "mrow"
    element.extend([row, *index] if index else [base, prime])
