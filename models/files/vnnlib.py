"""Input boxes in VNN-LIB 1.0 files, exactly: a decimal such as 0.1 is the fraction 1/10.

The vnnlib package reads version 2.0 only and gives floats, hence the small S-expression reader here.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from proof_of_absence.models.files.disk import InputError, content, refused

__all__ = ["InputBox", "read_box"]

LARGEST = 2**28
DEEPEST = 100
TOKEN = re.compile(r"\s+|;[^\n]*|(?P<token>[()]|[^\s();]+)")
# Four digits of exponent cover every float; more would make integers of gigabytes.
NUMBER = re.compile(r"[+-]?([0-9]{1,1000}(\.[0-9]{0,2000})?|\.[0-9]{1,2000})([eE][+-]?[0-9]{1,4})?")
VARIABLE = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
OPERATORS = {"and", "or", "not", "=>", "ite", "<=", ">=", "<", ">", "=", "distinct", "+", "-", "*", "/"}
WITHOUT_MEANING = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}
SIDES = {"<=": "upper", ">=": "lower", "=": "both"}
MIRRORED = {"<=": ">=", ">=": "<=", "=": "="}

# A word, or the terms between two parentheses.
Term: TypeAlias = "str | list[Term]"


@dataclass(frozen=True)
class InputBox:
    """The inputs z with low <= z_k <= high for each coordinate k.

    `output_assertions` counts the assertions about outputs, none of which was used: say so where the box is used.
    """

    bounds: tuple[tuple[Fraction, Fraction], ...]
    output_assertions: int


def read_box(path: str | os.PathLike[str]) -> InputBox:
    """The box that the assertions on the inputs X_0 .. X_{d-1} describe.

    Raises
    ------
    InputError
        If the text is malformed or of another version, an input assertion is no bound ``(<= X_0 0.5)`` or conjunction
        of such bounds, or a coordinate is unbounded or its bounds exclude each other.
    """
    try:
        text = content(path, limit=LARGEST).decode()
    except UnicodeDecodeError as error:
        raise refused(path, "is no text file") from error
    reader = _Reader(path)
    for line, command in _expressions(path, text):
        reader.command(line, command)
    return reader.box()


class _Reader:
    def __init__(self, path: str | os.PathLike[str]):
        self.path = path
        self.variables: set[str] = set()
        self.lower: dict[str, Fraction] = {}
        self.upper: dict[str, Fraction] = {}
        self.output_assertions = 0

    def command(self, line: int, command: Term) -> None:
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                if not VARIABLE.fullmatch(name):
                    raise self.refused(
                        line, f"variable {_text(name)}: inputs are named X_0, X_1, ..., outputs Y_0, Y_1, ..."
                    )
                if name in self.variables:
                    raise self.refused(line, f"{name} is declared twice")
                self.variables.add(name)
            case ["assert", body]:
                self.assertion(line, body)
            case [str(word), *_] if word in WITHOUT_MEANING:
                pass
            case ["vnnlib-version", *_]:
                raise self.refused(line, "only VNN-LIB 1.0 is supported; declare X_0, X_1, ... with declare-const")
            case _:
                raise self.refused(line, f"{_text(command)} is not supported; use declare-const and assert")

    def assertion(self, line: int, body: Term) -> None:
        words = {word for word in _words(body) if not NUMBER.fullmatch(word)}
        names = words - OPERATORS
        if undeclared := names - self.variables:
            raise self.refused(line, f"{_text(min(undeclared))} is not declared")
        match body:
            case ["and", *parts] if parts:
                for part in parts:
                    self.assertion(line, part)
            case _ if names and all(name.startswith("Y") for name in names):
                self.output_assertions += 1
            case [str(relation), str(name), bound] if (
                relation in SIDES and names == {name} and name not in _words(bound)
            ):
                self.bound(name, relation, self.number(line, bound))
            case [str(relation), bound, str(name)] if (
                relation in SIDES and names == {name} and name not in _words(bound)
            ):
                self.bound(name, MIRRORED[relation], self.number(line, bound))
            case _:
                raise self.refused(
                    line,
                    f"{_text(body)} is no bound on one input; "
                    "only (<= X_0 c), (>= X_0 c), (= X_0 c) and their conjunctions are",
                )

    def bound(self, name: str, relation: str, value: Fraction) -> None:
        if SIDES[relation] != "lower":
            self.upper[name] = min(value, self.upper.get(name, value))
        if SIDES[relation] != "upper":
            self.lower[name] = max(value, self.lower.get(name, value))

    def number(self, line: int, term: Term) -> Fraction:
        match term:
            case str() if NUMBER.fullmatch(term):
                return Fraction(term)
            case ["-", inner]:
                return -self.number(line, inner)
            case ["/", above, below] if divisor := self.number(line, below):
                return self.number(line, above) / divisor
        raise self.refused(line, f"{_text(term)} is no number such as 0.25, 1e-3, (- 1) or (/ 1 3)")

    def box(self) -> InputBox:
        inputs = {name for name in self.variables if name.startswith("X")}
        if not inputs:
            raise refused(self.path, "declares no input X_0")
        names = [f"X_{index}" for index in range(len(inputs))]
        if missing := [name for name in names if name not in inputs]:
            raise refused(self.path, f"declares {len(inputs)} inputs, but not {missing[0]}")
        bounds = []
        for name in names:
            for side, values in (("lower", self.lower), ("upper", self.upper)):
                if name not in values:
                    raise refused(self.path, f"{name} has no {side} bound; the box must be bounded")
            if self.lower[name] > self.upper[name]:
                raise refused(self.path, f"the bounds of {name} exclude each other, so the box is empty")
            bounds.append((self.lower[name], self.upper[name]))
        return InputBox(tuple(bounds), self.output_assertions)

    def refused(self, line: int, reason: str) -> InputError:
        return refused(self.path, f"line {line}: {reason}")


def _expressions(path: str | os.PathLike[str], text: str) -> Iterator[tuple[int, list[Term]]]:
    """The S-expressions of the file as nested lists of words, with the lines where they begin."""
    open_lists: list[list[Term]] = []
    line = begin = 1
    for match in TOKEN.finditer(text):
        token = match["token"]
        if token == "(":
            if not open_lists:
                begin = line
            if len(open_lists) == DEEPEST:
                raise refused(path, f"line {line}: more than {DEEPEST} parentheses within each other")
            open_lists.append([])
        elif token == ")":
            if not open_lists:
                raise refused(path, f"line {line}: a closing parenthesis too many")
            closed = open_lists.pop()
            if open_lists:
                open_lists[-1].append(closed)
            else:
                yield begin, closed
        elif token:
            if not open_lists:
                raise refused(path, f"line {line}: {token} stands outside parentheses")
            open_lists[-1].append(token)
        line += match[0].count("\n")
    if open_lists:
        raise refused(path, f"line {begin}: this expression is never closed; the file may be truncated")


def _words(term: Term) -> Iterator[str]:
    if isinstance(term, list):
        for part in term:
            yield from _words(part)
    else:
        yield term


def _text(term: Term) -> str:
    text = term if isinstance(term, str) else f"({' '.join(map(_text, term))})"
    return text if len(text) <= 80 else text[:80] + "..."
