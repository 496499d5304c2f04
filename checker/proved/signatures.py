"""What the functions that Coq extracts take and give: read from the types of the extracted program.

From that comes OCaml text which tells each of their calls as a term of Coq, so that the kernel can compute it again.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Signature", "signatures", "telling"]

_TOKEN = re.compile(r"'?[\w.]+|->|[(),*]")
_NAMED = re.compile(r"^(?:type|and) (?P<parameter>'\w+ )?(?P<name>\w+) =\s*(?P<body>.*?)(?=\n\n|^and |\Z)", re.M | re.S)
_VALUE = re.compile(r"^val (\w+) :\s*(.*?)(?=\n\n|\Z)", re.M | re.S)
# The types that terms.ml prints, with Coq's names. A positive number stands in a fraction alone.
_PLAIN = {"bool": "bool", "nat": "nat", "q": "Q", "Big_int_Z.big_int": "Z"}
_OF_ONE = {"list": "seq", "option": "option"}
# Functions over any scalars are asked about rational numbers only.
_SCALARS, _OPERATIONS = "q", "ops"


class _Unprintable(Exception):
    """A type of which no term can be told: functions among it."""


@dataclass(frozen=True)
class _Type:
    """A type: a name applied to types; `*` is a product, `->` a function."""

    name: str
    parts: tuple["_Type", ...] = ()


@dataclass(frozen=True)
class Signature:
    """A function that is extracted: Coq's names of the types of its arguments and of its value."""

    arguments: tuple[str, ...]
    value: str


@dataclass(frozen=True)
class _Reader:
    """The named types of the extracted program, each with its parameter, if it has one, and its body."""

    named: Mapping[str, tuple[str, str]]

    def seen_through(self, kind: _Type) -> _Type:
        """The type, with what a name stands for in its place; records and what has constructors keep their names."""
        if kind.name.startswith("'"):
            return _Type(_SCALARS)
        if kind.name in self.named and kind.name not in _PLAIN:
            parameter, body = self.named[kind.name]
            if not body.startswith(("{", "|")):
                return self.seen_through(_replaced(_parsed(body), parameter, kind.parts))
        return kind

    def coq(self, kind: _Type) -> str:
        """Coq's name of a type."""
        kind = self.seen_through(kind)
        if kind.name == _OPERATIONS:
            return "ops Q"
        if kind.name == "*":
            return "(" + " * ".join(self.coq(part) for part in kind.parts) + ")"
        if kind.name in _OF_ONE:
            return f"({_OF_ONE[kind.name]} {self.coq(kind.parts[0])})"
        return kind.name if self._is_told(kind.name) else self._plain(kind)

    def printer(self, kind: _Type) -> str:
        """An OCaml function that prints what is of this type."""
        kind = self.seen_through(kind)
        if kind.name == _OPERATIONS:
            return '(fun _ -> "Qops")'
        if kind.name == "*":
            names = [f"x{i}" for i in range(len(kind.parts))]
            told = "; ".join(f"{self.printer(part)} {name}" for part, name in zip(kind.parts, names, strict=True))
            return f"(fun ({', '.join(names)}) -> Terms.tuple [ {told} ])"
        if kind.name in _OF_ONE:
            return f"(Terms.{kind.name} {self.printer(kind.parts[0])})"
        if self._is_told(kind.name) or self._plain(kind) in ("nat", "Q"):
            return f"told_{kind.name}"
        return f"Terms.{kind.name.rsplit('.')[-1]}"

    def _plain(self, kind: _Type) -> str:
        if kind.parts or kind.name not in _PLAIN:
            raise _Unprintable(kind.name)
        return _PLAIN[kind.name]

    def printers(self) -> Iterator[str]:
        """OCaml functions that print natural numbers, fractions, and what is of a type with constructors."""
        yield "told_nat n = Terms.natural (let rec count k = function O -> k | S n -> count (k + 1) n in count 0 n)"
        yield "told_q x = Terms.fraction x.qnum x.qden"
        for name in self.named:
            if self._is_told(name):
                yield f"told_{name} = {self._printed(name)}"

    def _is_told(self, name: str) -> bool:
        """Whether terms of a type with constructors, or of a record, can be told."""
        return name in self.told

    @cached_property
    def told(self) -> frozenset[str]:
        """The types with constructors, and the records, that hold no functions: the others are left out, one by one."""
        found = {
            name for name, (parameter, body) in self.named.items()
            if body.startswith(("{", "|")) and not parameter and name not in _PLAIN
        }  # fmt: skip
        while True:
            wrong = {name for name in found if not all(self._of(kind, found) for kind in self._held(name))}
            if not wrong:
                return frozenset(found)
            found -= wrong

    def _of(self, kind: _Type, found: set[str]) -> bool:
        """Whether a type is made of plain ones and of these."""
        kind = self.seen_through(kind)
        if kind.name == "*" or kind.name in _OF_ONE:
            return all(self._of(part, found) for part in kind.parts)
        return not kind.parts and (kind.name in _PLAIN or kind.name in found)

    def _held(self, name: str) -> list[_Type]:
        """The types of all that a constructor takes, or a record holds."""
        body = self.named[name][1]
        if body.startswith("{"):
            return [kind for _, kind in _fields(body)]
        return [kind for _, kinds in _constructors(body) for kind in kinds]

    def _printed(self, name: str) -> str:
        body = self.named[name][1]
        if body.startswith("{"):
            told = "; ".join(f'Terms.field "{field}" ({self.printer(kind)} x.{field})' for field, kind in _fields(body))
            return f"fun (x : {name}) -> Terms.record [ {told} ]"
        return "function " + " ".join(self._case(*case) for case in _constructors(body))

    def _case(self, name: str, kinds: tuple[_Type, ...]) -> str:
        names = [f"x{i}" for i in range(len(kinds))]
        told = "; ".join(f"{self.argument(kind)} {x}" for kind, x in zip(kinds, names, strict=True))
        return f'| {name}{" (" + ", ".join(names) + ")" if names else ""} -> Terms.apply "{name}" [ {told} ]'

    def argument(self, kind: _Type) -> str:
        """A printer of an argument: whole numbers are read there as the argument's type says, which may be Coq's N."""
        return "Terms.whole_number" if self.seen_through(kind).name == "Big_int_Z.big_int" else self.printer(kind)


def signatures(interface: str, names: Collection[str]) -> dict[str, Signature]:
    """Of the named functions those whose calls can be told, by their types in the extracted interface."""
    reader, found = _reader(interface), {}
    for name, arguments, value in _functions(interface, names):
        try:
            found[name] = Signature(tuple(map(reader.coq, arguments)), reader.coq(value))
        except _Unprintable:
            continue
    return found


def telling(interface: str, names: Collection[str], extracted: str) -> str:
    """OCaml text: the functions of the module `extracted`, of which those named tell their calls.

    A call that cannot be told is told to be missing.
    """
    reader = _reader(interface)
    lines = [f"include {extracted}", "", "let rec " + "\nand ".join(reader.printers()), ""]
    for name, arguments, value in _functions(interface, names):
        variables = [f"x{i}" for i in range(len(arguments))]
        try:
            told = [f"{reader.argument(kind)} {x}" for kind, x in zip(arguments, variables, strict=True)]
            say = f'Terms.say "{name}" [ {"; ".join(told)} ] ({reader.printer(value)} value)'
        except _Unprintable:
            say = "Terms.missing ()"
        call = " ".join([name, *variables])
        lines.append(f"let {call} =\n  let value = {extracted}.{call} in\n  if !Terms.on then {say};\n  value")
    return "\n".join(lines) + "\n"


def _functions(interface: str, names: Collection[str]) -> Iterator[tuple[str, tuple[_Type, ...], _Type]]:
    for name, text in _VALUE.findall(interface):
        if name in names:
            kinds = []
            kind = _parsed(text)
            while kind.name == "->":
                first, kind = kind.parts
                kinds.append(first)
            if kinds:
                yield name, tuple(kinds), kind


def _reader(interface: str) -> _Reader:
    found = {match["name"]: ((match["parameter"] or "").strip(), match["body"]) for match in _NAMED.finditer(interface)}
    return _Reader(found)


def _replaced(kind: _Type, parameter: str, parts: tuple[_Type, ...]) -> _Type:
    if parameter and kind.name == parameter:
        return parts[0]
    return _Type(kind.name, tuple(_replaced(part, parameter, parts) for part in kind.parts))


def _fields(body: str) -> list[tuple[str, _Type]]:
    pairs = (field.split(":") for field in body.strip("{} \n").split(";"))
    return [(name.strip(), _parsed(kind)) for name, kind in pairs]


def _constructors(body: str) -> Iterator[tuple[str, tuple[_Type, ...]]]:
    for case in body.split("|")[1:]:
        name, _, rest = case.strip().partition(" of ")
        kind = _parsed(rest) if rest else None
        yield name, () if kind is None else kind.parts if kind.name == "*" else (kind,)


def _parsed(text: str) -> _Type:
    """A type as OCaml writes it."""
    tokens = [*_TOKEN.findall(re.sub(r"\(\*.*?\*\)", " ", text, flags=re.S)), "end"]

    def function() -> _Type:
        kind = product()
        if tokens[0] == "->":
            tokens.pop(0)
            return _Type("->", (kind, function()))
        return kind

    def product() -> _Type:
        kinds = [applied()]
        while tokens[0] == "*":
            tokens.pop(0)
            kinds.append(applied())
        return kinds[0] if len(kinds) == 1 else _Type("*", tuple(kinds))

    def applied() -> _Type:
        if tokens[0] == "(":
            tokens.pop(0)
            kinds: tuple[_Type, ...] = (function(),)
            while tokens.pop(0) == ",":
                kinds += (function(),)
            kind = kinds[0] if len(kinds) == 1 else _Type(tokens.pop(0), kinds)
        else:
            kind = _Type(tokens.pop(0))
        while re.fullmatch(r"[\w.]+", tokens[0]) and tokens[0] != "end":
            kind = _Type(tokens.pop(0), (kind,))
        return kind

    return function()
