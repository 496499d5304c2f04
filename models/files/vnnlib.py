"""Input boxes in VNN-LIB files of version 1.0 and 2.0, exactly: a decimal such as 0.1 is the fraction 1/10.

The vnnlib package reads version 2.0 only and gives floats, hence the small S-expression reader here.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from proof_of_absence.models.files.disk import InputError, content, refused

__all__ = ["InputBox", "read_box", "read_boxes"]

LARGEST = 2**28
DEEPEST = 100
# Boxes of one file: more than anybody asks about, and few enough for memory.
MOST = 10_000
# Bounds of all boxes together.
WORK = 10_000_000
# Letters of an entry X[0,1,2].
LONGEST = 200
TOKEN = re.compile(r"\s+|;[^\n]*|(?P<token>[()]|[^\s();]+)")
# Four digits of exponent cover every float; more would make integers of gigabytes.
NUMBER = re.compile(r"[+-]?([0-9]{1,1000}(\.[0-9]{0,2000})?|\.[0-9]{1,2000})([eE][+-]?[0-9]{1,4})?")
VARIABLE = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
OPERATORS = {"and", "or", "not", "=>", "ite", "<=", ">=", "<", ">", "=", "==", "!=", "distinct", "+", "-", "*", "/"}
WITHOUT_MEANING = {"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"}
SIDES = {"<=": "upper", ">=": "lower", "=": "both", "<": "upper", ">": "lower", "==": "both"}
MIRRORED = {"<=": ">=", ">=": "<=", "=": "=", "<": ">", ">": "<", "==": "=="}
# Version 2.0: an entry of a tensor, X[0,3], which may stand apart from its name.
ENTRY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*\[\s*([0-9]{1,9}(?:\s*,\s*[0-9]{1,9})*)?\s*\]")

# A word, or the terms between two parentheses.
Term: TypeAlias = "str | list[Term]"


@dataclass(frozen=True)
class InputBox:
    """The inputs z with low <= z_k <= high for each coordinate k.

    `output_assertions` counts the assertions about outputs, none of which was used: say so where the box is used.
    `strict` counts the bounds ``(< X_0 1)``: the box is the closed one, which holds the points that they exclude.
    """

    bounds: tuple[tuple[Fraction, Fraction], ...]
    output_assertions: int
    strict: int = 0


def read_box(path: str | os.PathLike[str]) -> InputBox:
    """The one box of a file, as `read_boxes`.

    Raises
    ------
    InputError
        As `read_boxes`, or if there are several.
    """
    boxes = read_boxes(path)
    if len(boxes) > 1:
        raise refused(path, f"holds {len(boxes)} boxes where one is needed")
    return boxes[0]


def read_boxes(path: str | os.PathLike[str]) -> tuple[InputBox, ...]:
    """The boxes that the assertions on the inputs X_0 .. X_{d-1} describe, one for each choice at an ``or``.

    What is asserted about outputs, alone or together with inputs (``(<= Y_0 X_0)``), is counted and not used, so the
    boxes hold every input that the file is about. A choice whose bounds exclude each other gives no box.

    Raises
    ------
    InputError
        If the text is malformed, an input assertion is no bound ``(<= X_0 0.5)``, nor made of such bounds by ``and``
        and ``or``, a coordinate is unbounded, all boxes are empty, or there are more than 10,000.
    """
    try:
        # With or without a byte-order mark.
        text = content(path, limit=LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(path, "is no text file") from error
    reader = _Reader(path)
    for line, command in _expressions(path, text):
        reader.command(line, command)
    return reader.boxes()


@dataclass
class _Bounds:
    """Bounds that hold together."""

    lower: dict[str, Fraction] = field(default_factory=dict)
    upper: dict[str, Fraction] = field(default_factory=dict)
    strict: int = 0

    def take(self, other: "_Bounds") -> None:
        """Add the bounds of another."""
        for name, value in other.lower.items():
            self.lower[name] = max(value, self.lower.get(name, value))
        for name, value in other.upper.items():
            self.upper[name] = min(value, self.upper.get(name, value))
        self.strict += other.strict

    def both(self, other: "_Bounds") -> "_Bounds":
        result = _Bounds(dict(self.lower), dict(self.upper), self.strict)
        result.take(other)
        return result


# One of several that may hold.
_Cases: TypeAlias = "list[_Bounds]"


class _Reader:
    def __init__(self, path: str | os.PathLike[str]):
        self.path = path
        self.variables: set[str] = set()
        # Version 2.0: tensors with their shapes, and what they are called here.
        self.tensors: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.cases: _Cases = [_Bounds()]
        self.output_assertions = 0
        self.work = 0

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
            case ["declare-network", str(), *parts]:
                self.network(line, parts)
            case ["assert", body]:
                body = self.renamed(line, body) if self.tensors else body
                self.cases = self.product(line, self.cases, self.assertion(line, body))
            case [str(word), *_] if word in WITHOUT_MEANING:
                pass
            case ["vnnlib-version", "<2.0>" | "<1.0>"]:
                pass
            case ["vnnlib-version", *_]:
                raise self.refused(line, "only versions 1.0 and 2.0 of VNN-LIB are read")
            case _:
                raise self.refused(line, f"{_text(command)} is not supported; use declare-const and assert")

    def network(self, line: int, parts: list[Term]) -> None:
        """Version 2.0: one network, with one input and one output; its entries are X_0 .. and Y_0 .. from here on."""
        if self.tensors or self.variables:
            raise self.refused(line, "declares a second network; absence asks about one")
        for part in parts:
            match part:
                case ["declare-input" | "declare-output" as word, str(name), str(), *shape] if all(
                    isinstance(size, str) for size in shape
                ):
                    letter = "X" if word == "declare-input" else "Y"
                    sizes = re.fullmatch(r"\[((?:[0-9]{1,9}(?:,[0-9]{1,9})*)?)\]", "".join(map(str, shape)))
                    if not sizes or letter in (known for known, _ in self.tensors.values()) or name in self.tensors:
                        raise self.refused(line, f"{_text(part)} is no tensor, or a second one of its kind")
                    self.tensors[name] = letter, tuple(map(int, filter(None, sizes[1].split(","))))
                case _:
                    raise self.refused(line, f"{_text(part)} is not supported; declare one input and one output")
        for letter, sizes_of in self.tensors.values():
            if (count := math.prod(sizes_of)) > LARGEST // 100:
                raise self.refused(line, f"declares {count} variables, more than are read")
            self.variables.update(f"{letter}_{index}" for index in range(count))

    def renamed(self, line: int, term: Term) -> Term:
        """The term with X_5 in place of X[0,5]."""
        if isinstance(term, list):
            words: list[Term] = []
            for part in term:
                # X [0] is one word as X[0] is.
                if isinstance(part, str) and words and isinstance(words[-1], str) and _is_open(words[-1], part):
                    words[-1] += part
                    if len(words[-1]) > LONGEST:
                        raise self.refused(line, f"{_text(words[-1])} is no entry of a tensor")
                else:
                    words.append(part)
            return [self.renamed(line, part) for part in words]
        if not (found := ENTRY.fullmatch(term)):
            return self.scalar(term)
        letter, sizes = self.tensors.get(found[1], ("", ()))
        places = [int(place) for place in (found[2] or "").split(",") if place.strip()]
        if not letter or len(places) > max(1, len(sizes)) or len(places) < len(sizes):
            raise self.refused(line, f"{_text(term)} is no entry of a declared tensor")
        if any(place >= size for place, size in zip(places, sizes or (1,), strict=False)):
            raise self.refused(line, f"{_text(term)} lies outside the shape {list(sizes)}")
        index = 0
        for place, size in zip(places, sizes, strict=False):
            index = index * size + place
        return f"{letter}_{index}"

    def scalar(self, term: str) -> str:
        letter, sizes = self.tensors.get(term, ("", (0,)))
        return f"{letter}_0" if letter and math.prod(sizes) == 1 else term

    def assertion(self, line: int, body: Term) -> _Cases:
        """The cases in which it holds; one without bounds where it says something of outputs."""
        words = {word for word in _words(body) if not NUMBER.fullmatch(word)}
        names = words - OPERATORS
        if undeclared := names - self.variables:
            raise self.refused(line, f"{_text(min(undeclared))} is not declared")
        match body:
            case ["and", *parts] if parts:
                cases: _Cases = [_Bounds()]
                for part in parts:
                    cases = self.product(line, cases, self.assertion(line, part))
                return cases
            case _ if names and all(name.startswith("Y") for name in names):
                self.output_assertions += 1
                return [_Bounds()]
            case ["or", *parts] if parts:
                return [case for part in parts for case in self.assertion(line, part)]
            case [str(relation), str(name), bound] if (
                relation in SIDES and names == {name} and name not in _words(bound)
            ):
                return [self.bound(name, relation, self.number(line, bound))]
            case [str(relation), bound, str(name)] if (
                relation in SIDES and names == {name} and name not in _words(bound)
            ):
                return [self.bound(name, MIRRORED[relation], self.number(line, bound))]
            case [str(relation), _, _] if relation in SIDES and any(name.startswith("Y") for name in names):
                # Of inputs and outputs together: without it the box holds more points, not fewer.
                self.output_assertions += 1
                return [_Bounds()]
            case _:
                raise self.refused(
                    line,
                    f"{_text(body)} is no bound on one input; "
                    "only (<= X_0 c), (>= X_0 c), (= X_0 c), and these joined by and, or, are",
                )

    def product(self, line: int, some: _Cases, others: _Cases) -> _Cases:
        """The cases in which one of each holds."""
        self.work += len(some) * len(others)
        if len(some) * len(others) > MOST or self.work > WORK:
            raise self.refused(line, f"makes more than {MOST} boxes, the most that are read, or too many bounds")
        if len(others) == 1:
            # As nearly always: without a copy for each of a hundred thousand bounds.
            for one in some:
                one.take(others[0])
            return some
        return [one.both(other) for one in some for other in others]

    def bound(self, name: str, relation: str, value: Fraction) -> _Bounds:
        lower = {} if SIDES[relation] == "upper" else {name: value}
        upper = {} if SIDES[relation] == "lower" else {name: value}
        return _Bounds(lower, upper, int(relation in "<>"))

    def number(self, line: int, term: Term) -> Fraction:
        match term:
            case str() if NUMBER.fullmatch(term):
                return Fraction(term)
            case ["-", inner]:
                return -self.number(line, inner)
            case ["/", above, below] if divisor := self.number(line, below):
                return self.number(line, above) / divisor
        raise self.refused(line, f"{_text(term)} is no number such as 0.25, 1e-3, (- 1) or (/ 1 3)")

    def boxes(self) -> tuple[InputBox, ...]:
        inputs = {name for name in self.variables if name.startswith("X")}
        if not inputs:
            raise refused(self.path, "declares no input X_0")
        names = [f"X_{index}" for index in range(len(inputs))]
        if missing := [name for name in names if name not in inputs]:
            raise refused(self.path, f"declares {len(inputs)} inputs, but not {missing[0]}")
        boxes: dict[tuple[tuple[Fraction, Fraction], ...], InputBox] = {}
        empty = ""
        for case in self.cases:
            for side, values in (("lower", case.lower), ("upper", case.upper)):
                if absent := [name for name in names if name not in values]:
                    raise refused(self.path, f"{absent[0]} has no {side} bound; the box must be bounded")
            excluded = [name for name in names if case.lower[name] > case.upper[name]]
            if excluded:
                empty = excluded[0]
                continue
            bounds = tuple((case.lower[name], case.upper[name]) for name in names)
            boxes.setdefault(bounds, InputBox(bounds, self.output_assertions, case.strict))
        if not boxes:
            raise refused(self.path, f"the bounds of {empty} exclude each other, so the box is empty")
        return tuple(boxes.values())

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


def _is_open(word: str, following: str) -> bool:
    """Whether the word ends within an entry X[0,1] that the following word goes on with."""
    return ("[" in word and "]" not in word) or (following.startswith("[") and "[" not in word)


def _words(term: Term) -> Iterator[str]:
    if isinstance(term, list):
        for part in term:
            yield from _words(part)
    else:
        yield term


def _text(term: Term) -> str:
    text = term if isinstance(term, str) else f"({' '.join(map(_text, term))})"
    return text if len(text) <= 80 else text[:80] + "..."
