"""Plain text and exact numbers for LaTeX; and the one line by which a table tells a value to the paper's macros."""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context
from fractions import Fraction

__all__ = ["decimal", "define", "defined", "escape", "exact", "math", "pieces", "prose"]

DIGITS = 4
_SPECIAL = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': "''",
}
_SMALL = ("alpha", "beta", "gamma", "delta", "eta", "theta", "lambda", "nu", "rho", "tau")
_GREEK = {name: f"\\{name}" for name in (*_SMALL, "Lambda")}
_GREEK |= {"eps": r"\varepsilon", "phi": r"\varphi", "ybar": r"\bar y"}
_NAMES = _GREEK | {"sum": r"\textstyle\sum"}
_SIGN = {"<=": r"\le", ">=": r"\ge", "!=": r"\neq", "=>": r"\Rightarrow", "<": "<", ">": ">", "=": "=", "-": "-"}
_MATH = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|(?P<name>\b[A-Za-z]+)_(?P<index>\(.*?\)|[A-Za-z0-9]+)"
    rf"|\b(?P<greek>{'|'.join(_GREEK)})\b"
    r"|\^(?P<power>-?\w+|\(.*?\))"
    r"|(?P<infimum>\bL\*)(?=\()"
    # But for the numbers of parts: (i), (v).
    r"|(?<![\w'])(?P<letter>(?!(?<=\()[iv]\))[b-zB-HJ-Z])(?!\w)"
    r"|<(?P<inner>[^<>=\s][^<>=]*, ?(?:[^<>=]*[^<>=\s])?)>"
    r"|(?<!\w)(?P<mantissa>\d+(?:\.\d+)?)e(?P<ten>[+-]?\d+)(?!\w)"
    r"|(?P<sign><=|>=|!=|=>|[<>=]|(?<= )-(?= )|(?<![\w.)\]-])-(?=\d)"
    # A minus without spaces: of a negative (-x), between a letter and a number or letter (n-1), as a sign in a list.
    r"|(?<=[(=] )-(?=\w)|(?<=\()-(?=\w)|(?<=\b[b-zB-HJ-Z])-(?=[\d|]|[a-z]\b)|(?<= )-(?=,|$))"
)


def escape(text: str) -> str:
    """Plain text for LaTeX.

    Examples
    --------
    >>> escape("S_n, 10%")
    'S\\\\_n, 10\\\\%'
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


_LATEX = {"text": escape, "formula": lambda piece: f"${piece}$", "code": lambda piece: rf"\texttt{{{escape(piece)}}}"}


def prose(text: str) -> str:
    """Plain text with the formulas that a claim's premises and obligations have in it, typeset.

    Examples
    --------
    >>> print(prose("a unit's P_train >= eps P_dep, s^2"))
    a unit's $P_{\\mathrm{train}}$ $\\ge$ $\\varepsilon$ $P_{\\mathrm{dep}}$, $s$$^{2}$
    >>> print(prose("<phi, phi> & L*(0) - S_(n-k)"))
    $\\langle$$\\varphi$, $\\varphi$$\\rangle$ \\& $L^*$(0) $-$ $S_{n-k}$
    >>> print(prose("for (i), that f(n) is as in (v): 1 - eta"))
    for (i), that $f$($n$) is as in (v): 1 $-$ $\\eta$
    >>> print(prose("-1/2 and 2^-20, as in C8.minimiser-1; see `absence show C8`"))
    $-$1/2 and 2$^{-20}$, as in C8.minimiser-1; see \\texttt{absence show C8}
    >>> print(prose("n-1, n-|J|, exp(-beta), the sides +, -"))
    $n$$-$1, $n$$-$|$J$|, exp($-$$\\beta$), the sides +, $-$
    >>> print(prose("train-idle, 3-2-1"))
    train-idle, 3-2-1
    """
    return "".join(_LATEX[kind](piece) for kind, piece in pieces(text))


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Plain text in pieces, each as it is (`text`), as LaTeX that stands between dollars (`formula`),
    or as what a command line takes (`code`).

    Examples
    --------
    >>> list(pieces("at P_train (`absence show C8`)"))
    [('text', 'at '), ('formula', 'P_{\\\\mathrm{train}}'), ('text', ' ('), ('code', 'absence show C8'), ('text', ')')]
    >>> list(pieces("(i) and (v) are parts, f(x) is not"))[:2]
    [('text', '(i) and (v) are parts, '), ('formula', 'f')]
    >>> [piece for _, piece in pieces("<r, x>")]
    ['\\\\langle', 'r', ', ', 'x', '\\\\rangle']
    """
    end = 0
    for match in _MATH.finditer(text):
        if match.start() > end:
            yield "text", text[end : match.start()]
        if code := match["code"]:
            yield "code", code
        elif inner := match["inner"]:
            yield "formula", r"\langle"
            yield from pieces(inner)
            yield "formula", r"\rangle"
        else:
            yield "formula", _formula(match)
        end = match.end()
    if end < len(text):
        yield "text", text[end:]


def _formula(match: re.Match) -> str:
    if mantissa := match["mantissa"]:
        return rf"{mantissa}\cdot10^{{{int(match['ten'])}}}"
    if name := match["name"]:
        return f"{_symbol(name)}_{{{_symbol(match['index'])}}}"
    if greek := match["greek"]:
        return _GREEK[greek]
    if power := match["power"]:
        return f"^{{{escape(power)}}}"
    return match["letter"] or ("L^*" if match["infimum"] else _SIGN[match["sign"]])


def _symbol(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    name = name.strip("()")
    return name if len(name) == 1 or not name.isalpha() else rf"\mathrm{{{name}}}"


def exact(value: Fraction) -> str:
    """An exact number.

    Examples
    --------
    >>> exact(Fraction(-5, 12)), exact(Fraction(221))
    ('\\\\ensuremath{-5/12}', '\\\\ensuremath{221}')
    """
    return math(str(value))


def decimal(value: Fraction) -> str:
    """The number, rounded half to even to four digits, with a power of ten where it is large or small.

    Without zeros at the end if it is exact.

    Examples
    --------
    >>> decimal(Fraction(5, 12)), decimal(Fraction(81, 3273422905856))
    ('\\\\ensuremath{0.4167}', '\\\\ensuremath{2.474\\\\cdot10^{-11}}')
    >>> decimal(Fraction(0)), decimal(Fraction(7 * 10**10))
    ('\\\\ensuremath{0}', '\\\\ensuremath{7\\\\cdot10^{10}}')
    """
    rounding = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN, Emin=-(10**6), Emax=10**6)
    rounded = rounding.divide(value.numerator, value.denominator)
    if -4 <= rounded.adjusted() < DIGITS or not rounded:
        return math(f"{rounded.normalize():f}")
    mantissa, power = f"{rounded.normalize() if Fraction(rounded) == value else rounded:e}".lower().split("e")
    return math(rf"{mantissa}\cdot10^{{{int(power)}}}")


def math(text: str) -> str:
    """A formula that may stand in a text and in another formula."""
    return rf"\ensuremath{{{text}}}"


def defined(text: str) -> set[tuple[str, str]]:
    """Kind and key of every value that the lines of `define` in a text tell."""
    return set(re.findall(r"^\\AbsenceDefine\{([^{}]*)\}\{([^{}]*)\}", text, re.MULTILINE))


def define(kind: str, key: str, text: str) -> str:
    r"""The line that tells the macros of paper/macros.tex a value.

    Examples
    --------
    >>> define("status", "C8", "proved")
    '\\AbsenceDefine{status}{C8}{proved}\n'
    """
    return f"\\AbsenceDefine{{{kind}}}{{{key}}}{{{text}}}\n"
