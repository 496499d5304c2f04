"""SMT-LIB scripts, read and evaluated exactly at given values; polynomials, expanded exactly.

Only the fragment that the certificates use is understood; anything else is refused.
"""

import itertools
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require

# A word, or a list of terms.
Term = Any
# A number or a truth value.
Value = Any

_TOKEN = re.compile(r";[^\n]*|\s+|([()])|([^\s();|\"]+)|(.)", re.S)
_RESERVED = {"true", "false", "ite", "let", "exists", "forall"}
NUMERAL = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse(text: str) -> list[Term]:
    """The S-expressions of a text as nested lists of words."""
    stack: list[list[Term]] = [[]]
    for match in _TOKEN.finditer(text):
        bracket, word, stray = match.groups()
        if stray:
            raise Refused(f"unexpected character {stray!r}")
        if bracket == "(":
            stack.append([])
        elif bracket == ")":
            require(len(stack) > 1, "a bracket too many")
            done = stack.pop()
            stack[-1].append(done)
        elif word:
            stack[-1].append(word)
    require(len(stack) == 1, "a bracket is not closed")
    return stack[0]


def _chained(relation: Callable[[Value, Value], bool]) -> Callable[[list[Value]], bool]:
    return lambda values: all(relation(a, b) for a, b in itertools.pairwise(values))


def _divide(values: list[Fraction]) -> Fraction:
    result, *divisors = values
    for divisor in divisors:
        require(divisor != 0, "division by zero")
        result = result / divisor
    return result


def _product(values: list[Fraction]) -> Fraction:
    result = Fraction(1)
    for value in values:
        result *= value
    return result


def _implies(values: list[bool]) -> bool:
    *hypotheses, conclusion = values
    return not all(hypotheses) or conclusion


# What each operator takes: numbers, truth values, or any of one sort; and how many at least.
_ARITHMETIC, _ORDER, _LOGIC, _EQUALITY = (
    {"+", "*", "-", "/"},
    {"<=", "<", ">=", ">"},
    {"and", "or", "not", "=>"},
    {"=", "distinct"},
)


def _apply(operator: str, values: list[Value]) -> Value:
    sorts = {isinstance(value, bool) for value in values}
    if operator in _EQUALITY:
        require(len(sorts) == 1 and len(values) > 1, f"{operator} compares two terms or more of one sort")
    else:
        require(sorts == {operator in _LOGIC}, f"{operator} of a wrong sort")
        require(len(values) > 1 or operator not in _ORDER | {"/", "=>"}, f"{operator} of one term")
        require(len(values) == 1 or operator != "not", "not of several terms")
    return _OPERATORS[operator](values)


_OPERATORS: dict[str, Callable[[list[Any]], Value]] = {
    "+": sum,
    "*": _product,
    "-": lambda v: -v[0] if len(v) == 1 else v[0] - sum(v[1:]),
    "/": _divide,
    "=": _chained(lambda a, b: a == b),
    "<=": _chained(lambda a, b: a <= b),
    "<": _chained(lambda a, b: a < b),
    ">=": _chained(lambda a, b: a >= b),
    ">": _chained(lambda a, b: a > b),
    "distinct": lambda v: len(set(v)) == len(v),
    "and": all,
    "or": any,
    "not": lambda v: not v[0],
    "=>": _implies,
}


class Script:
    """A parsed script: declared names, definitions, assertions."""

    def __init__(self, text: str):
        self.declared: dict[str, str] = {}
        self.definitions: dict[str, tuple[list[str], Term]] = {}
        self.assertions: list[Term] = []
        for command in parse(text):
            match command:
                case ["declare-fun", str(name), [], ("Real" | "Bool") as sort]:
                    self._fresh(name)
                    self.declared[name] = sort
                case ["declare-fun", str(name), [*_], "Real"]:
                    self._fresh(name)
                    self.declared[name] = "function"
                case ["define-fun", str(name), [*parameters], "Real" | "Bool", body]:
                    self._fresh(name)
                    self.definitions[name] = ([p[0] for p in parameters], body)
                case ["assert", formula]:
                    self.assertions.append(formula)
                case ["set-logic", _] | ["check-sat"]:
                    pass
                case _:
                    raise Refused(f"command {command[:2]} is not understood")

    def _fresh(self, name: str) -> None:
        taken = name in self.declared or name in self.definitions or name in _OPERATORS or name in _RESERVED
        require(not taken and not NUMERAL.fullmatch(name), f"{name} is declared twice or reserved")

    def holds(self, formulas: list[Term], values: Mapping[str, Value]) -> bool:
        """Whether all the formulas are true at these values of the declared names."""
        for name, value in values.items():
            sort = self.declared.get(name)
            require(sort == ("Bool" if isinstance(value, bool) else "Real"), f"{name} has no such value")
        memo = dict(values)
        truths = [self._value(formula, memo) for formula in formulas]
        require(all(isinstance(truth, bool) for truth in truths), "an assertion is not a truth value")
        return all(truths)

    def _value(self, term: Term, memo: dict[str, Value], local: dict[str, Value] | None = None) -> Value:
        """The value of a term; `memo` holds constants and definitions, `local` a macro's arguments."""
        local = local or {}
        if isinstance(term, str):
            return self._name(term, memo, local)
        require(bool(term) and isinstance(term[0], str), f"term {term} is not understood")
        head, *arguments = term
        if head == "ite":
            require(len(arguments) == 3, "ite takes three terms")
            condition = self._value(arguments[0], memo, local)
            require(isinstance(condition, bool), "ite of a wrong sort")
            return self._value(arguments[1 if condition else 2], memo, local)
        values = [self._value(argument, memo, local) for argument in arguments]
        if head in _OPERATORS and values:
            return _apply(head, values)
        if head in self.definitions:
            parameters, body = self.definitions[head]
            require(len(parameters) == len(values) > 0, f"{head}: wrong number of arguments")
            return self._value(body, memo, dict(zip(parameters, values, strict=True)))
        raise Refused(f"operator {head} is not understood")

    def _name(self, name: str, memo: dict[str, Value], local: dict[str, Value]) -> Value:
        if name in local:
            return local[name]
        if name in memo:
            return memo[name]
        if NUMERAL.fullmatch(name):
            return Fraction(name)
        if name in ("true", "false"):
            return name == "true"
        require(name in self.definitions, f"{name} has no value")
        parameters, body = self.definitions[name]
        require(not parameters, f"{name} needs arguments")
        memo[name] = self._value(body, memo)
        return memo[name]


ZERO = Fraction(0)
Polynomial = dict[tuple[tuple[str, int], ...], Fraction]


def expand(term: Term) -> Polynomial:
    """The polynomial over Q that a term in +, -, *, numerals and names denotes: {monomial: coefficient}."""
    if isinstance(term, str):
        return _nonzero({(): Fraction(term)}) if NUMERAL.fullmatch(term) else {((term, 1),): Fraction(1)}
    head = term[0] if term else None
    if head not in ("+", "-", "*", "/") or len(term) == 1:
        raise Refused(f"operator {head} in a polynomial")
    parts = [expand(argument) for argument in term[1:]]
    if head == "/":
        constants = [part.get((), Fraction(0)) for part in parts]
        require(all(set(part) <= {()} for part in parts) and all(constants[1:]), "division of polynomials")
        return _nonzero({(): _divide(constants)})
    if head == "-" and len(parts) == 1:
        parts = [{}, *parts]
    result = parts[0]
    for part in parts[1:]:
        result = times(result, part) if head == "*" else plus(result, scaled(part, 1 if head == "+" else -1))
    return result


def plus(*parts: Polynomial) -> Polynomial:
    """The sum of polynomials."""
    result: Polynomial = {}
    for part in parts:
        for monomial, c in part.items():
            result[monomial] = result.get(monomial, ZERO) + c
    return _nonzero(result)


def scaled(polynomial: Polynomial, factor: int | Fraction) -> Polynomial:
    """A polynomial times a number."""
    return _nonzero({monomial: c * factor for monomial, c in polynomial.items()})


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product of two polynomials."""
    result: Polynomial = {}
    for one, a in left.items():
        for other, b in right.items():
            powers = dict(one)
            for name, power in other:
                powers[name] = powers.get(name, 0) + power
            monomial = tuple(sorted(powers.items()))
            result[monomial] = result.get(monomial, Fraction(0)) + a * b
    return _nonzero(result)


def _nonzero(polynomial: Polynomial) -> Polynomial:
    return {monomial: c for monomial, c in polynomial.items() if c}
