"""SMT-LIB 2 scripts as text: the one form in which z3, cvc5 and the independent checker read a query.

Terms are strings; numbers are exact rationals. A script is premises plus one formula that decides the obligation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "Script",
    "Term",
    "add",
    "all_of",
    "any_of",
    "distinct",
    "dot",
    "eq",
    "le",
    "lt",
    "mul",
    "neg",
    "no",
    "num",
    "square",
    "sub",
]

Term = str
Value = Fraction | int | Term


def num(value: Value) -> Term:
    """A numeral term; a string is a term already.

    Examples
    --------
    >>> num(Fraction(-1, 3)), num(2), num("x")
    ('(- (/ 1 3))', '2', 'x')
    """
    if isinstance(value, str):
        return value
    value = Fraction(value)
    size = abs(value)
    text = str(size.numerator) if size.denominator == 1 else f"(/ {size.numerator} {size.denominator})"
    return f"(- {text})" if value < 0 else text


def _chain(operator: str, neutral: str, terms: Iterable[Value]) -> Term:
    written = [num(t) for t in terms]
    return neutral if not written else written[0] if len(written) == 1 else f"({operator} {' '.join(written)})"


def add(*terms: Value) -> Term:
    """The sum; 0 of nothing."""
    return _chain("+", "0", [t for t in map(num, terms) if t != "0"])


def mul(*terms: Value) -> Term:
    """The product; 1 of nothing, 0 if a factor is the numeral 0."""
    factors = [t for t in map(num, terms) if t != "1"]
    return "0" if "0" in factors else _chain("*", "1", factors)


def neg(term: Value) -> Term:
    """The opposite."""
    return f"(- {num(term)})"


def sub(left: Value, right: Value) -> Term:
    """The difference."""
    return f"(- {num(left)} {num(right)})"


def square(term: Value) -> Term:
    """term * term."""
    return mul(term, term)


def dot(left: Iterable[Value], right: Iterable[Value]) -> Term:
    """The inner product of two vectors of terms."""
    return add(*(mul(a, b) for a, b in zip(left, right, strict=True)))


def eq(left: Value, right: Value) -> Term:
    """left = right."""
    return f"(= {num(left)} {num(right)})"


def distinct(*terms: Value) -> Term:
    """Pairwise different."""
    return f"(distinct {' '.join(map(num, terms))})"


def le(left: Value, right: Value) -> Term:
    """left <= right."""
    return f"(<= {num(left)} {num(right)})"


def lt(left: Value, right: Value) -> Term:
    """left < right."""
    return f"(< {num(left)} {num(right)})"


def no(formula: Term) -> Term:
    """Negation."""
    return f"(not {formula})"


def all_of(formulas: Iterable[Term]) -> Term:
    """Conjunction; true of nothing."""
    return _chain("and", "true", list(formulas))


def any_of(formulas: Iterable[Term]) -> Term:
    """Disjunction; false of nothing."""
    return _chain("or", "false", list(formulas))


@dataclass
class Script:
    """A query under construction.

    `decide` names the deciding formula: ``claim_fails`` for a universal statement (unsat proves it)
    and ``claim_holds`` for an existential one (sat proves it). The premises are the other assertions.

    Examples
    --------
    >>> s = Script("QF_LRA")
    >>> x = s.real("x")
    >>> s.premise(lt(0, x))
    >>> s.decide("claim_fails", le(add(x, 1), 0))
    >>> print(s.text().splitlines()[-3])
    (assert claim_fails)
    """

    logic: str
    comment: str = ""
    lines: list[str] = field(default_factory=lambda: ["(define-fun relu ((t Real)) Real (ite (<= t 0) 0 t))"])
    decided: str | None = None

    def real(self, name: str) -> Term:
        """Declare a real unknown."""
        self.lines.append(f"(declare-fun {name} () Real)")
        return name

    def reals(self, prefix: str, count: int) -> list[Term]:
        """Declare `count` real unknowns prefix_0, prefix_1, ..."""
        return [self.real(f"{prefix}_{i}") for i in range(count)]

    def boolean(self, name: str) -> Term:
        """Declare a truth value."""
        self.lines.append(f"(declare-fun {name} () Bool)")
        return name

    def function(self, name: str, arity: int) -> None:
        """Declare an uninterpreted real function of `arity` reals."""
        self.lines.append(f"(declare-fun {name} ({' '.join(['Real'] * arity)}) Real)")

    def define(self, name: str, term: Value, sort: str = "Real") -> Term:
        """Name a term, so that it can be shared."""
        self.lines.append(f"(define-fun {name} () {sort} {num(term)})")
        return name

    def premise(self, formula: Term) -> None:
        """Assert a hypothesis."""
        self.lines.append(f"(assert {formula})")

    def decide(self, name: str, formula: Term) -> None:
        """Set the deciding formula: ``claim_fails`` or ``claim_holds``."""
        if name not in ("claim_fails", "claim_holds") or self.decided:
            raise ValueError(f"{name}: the deciding formula is claim_fails or claim_holds, once")
        self.define(name, formula, "Bool")
        self.decided = name

    def text(self, *, premises_only: bool = False) -> str:
        """The script; with `premises_only`, without asserting the deciding formula."""
        if not self.decided:
            raise ValueError("the script decides nothing")
        header = [f"; {line}" for line in self.comment.splitlines()]
        closing = [] if premises_only else [f"(assert {self.decided})"]
        return "\n".join([*header, f"(set-logic {self.logic})", *self.lines, *closing, "(check-sat)"]) + "\n\n"
