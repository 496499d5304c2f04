"""Mutants of Python and Coq sources: each is the source with one small change of meaning, and where it was made.

Text is left alone: docstrings, statements in words, names. What is changed is what a query, a fact or a theorem says.
"""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "of_coq", "of_python"]


@dataclass(frozen=True)
class Mutant:
    """A changed source, the line of the change, and what was changed into what."""

    source: str
    line: int
    change: str


# Functions of SMT terms, and what each is mistaken for.
CALLS = {"le": "lt", "lt": "le", "eq": "distinct", "distinct": "eq", "all_of": "any_of", "any_of": "all_of"}
CALLS |= {"sub": "add", "mul": "add"}
UNWRAPPED = {"neg", "no", "square"}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
OPERATIONS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}
TEXTS = {"claim_fails": "claim_holds", "claim_holds": "claim_fails", "<": "=", "=": "<", "(<= t 0)": "(< 0 t)"}
TEXTS |= {"+": "-", "*": "+", "and": "or", "or": "and", "true": "false", "false": "true"}
# Pieces of SMT-LIB terms in strings.
SMT = {
    "(<= ": "(< ",
    "(< ": "(<= ",
    "(= ": "(distinct ",
    "(distinct ": "(= ",
    "(- ": "(+ ",
    "(relu ": "(- 0 ",
    "(not ": "(or ",
}
SMT |= {"(/ ": "(* ", "(assert ": "(push ", "(ite (<= t 0) 0 t)": "(ite (<= t 0) t 0)"}
# Arguments that hold words, or how to run and not what to say.
WORDS = {"strict", "id", "title", "statement", "premises", "proof", "limits", "rests_on", "drops", "name", "comment"}


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What may stand in this node's place."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if other := CALLS.get(node.func.id):
            yield ast.Call(ast.Name(other), node.args, node.keywords), f"{node.func.id} becomes {other}"
        if node.func.id in UNWRAPPED:
            yield node.args[0], f"{node.func.id} is left out"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        if isinstance(called, ast.Attribute) and called.attr == "premise":
            yield ast.Pass(), "a premise is left out"
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and (other := COMPARISONS.get(type(node.ops[0]))):
        yield (
            ast.Compare(node.left, [other()], node.comparators),
            f"{type(node.ops[0]).__name__} becomes {other.__name__}",
        )
    if isinstance(node, ast.BinOp) and (other := OPERATIONS.get(type(node.op))):
        yield ast.BinOp(node.left, other(), node.right), f"{type(node.op).__name__} becomes {other.__name__}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand, f"{type(node.op).__name__} is left out"
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body), "the branches change places"
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value), f"{node.value} becomes {not node.value}"
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1), f"{node.value} becomes {node.value + 1}"
        elif isinstance(node.value, str) and node.value in TEXTS:
            yield ast.Constant(TEXTS[node.value]), f"{node.value!r} becomes {TEXTS[node.value]!r}"
        elif isinstance(node.value, str):
            for old, new in SMT.items():
                if old in node.value:
                    yield ast.Constant(node.value.replace(old, new, 1)), f"{old!r} becomes {new!r}"


def _is_term(text: ast.JoinedStr) -> bool:
    first = text.values[0]
    return isinstance(first, ast.Constant) and first.value.startswith("(")


def _places(node: ast.AST, path: tuple = ()) -> Iterator[tuple]:
    """The paths to every node that says something to a machine."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "format_spec", "slice"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.JoinedStr) and not _is_term(child):
                continue  # words, not a term
            if isinstance(child, ast.keyword) and child.arg in WORDS:
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.Assign) and getattr(child.targets[0], "id", "") == "__all__":
                continue
            here = (*path, (field, index))
            yield here
            yield from _places(child, here)


def _at(tree: ast.AST, path: tuple) -> ast.AST:
    for field, index in path:
        tree = getattr(tree, field)
        if index is not None:
            tree = tree[index]
    return tree


def of_python(source: str) -> list[Mutant]:
    """Every mutant of a Python module that this list of changes makes."""
    tree = ast.parse(source)
    found = []
    for path in _places(tree):
        node = _at(tree, path)
        for replacement, change in _changes(node):
            other = copy.deepcopy(tree)
            parent, (field, index) = _at(other, path[:-1]), path[-1]
            if index is None:
                setattr(parent, field, copy.deepcopy(replacement))
            else:
                getattr(parent, field)[index] = copy.deepcopy(replacement)
            found.append(Mutant(ast.unparse(ast.fix_missing_locations(other)), getattr(node, "lineno", 0), change))
    return found


# Symbols of a Coq statement, longest first, and what each is mistaken for.
SYMBOLS = {"<=": "<", "!=": "=", "<": "<=", "+": "-", "\\notin": "\\in", "\\in": "\\notin", " = ": " <> "}
SYMBOLS |= {"exists": "forall", "\\/": "/\\", "/\\": "\\/", "<->": "->", "~": ""}
_SYMBOL = re.compile("|".join(re.escape(symbol) for symbol in sorted(SYMBOLS, key=len, reverse=True)) + r"|=>|->|>=|:=")


def of_coq(source: str, theorem: str) -> list[Mutant]:
    """The mutants of one theorem's statement: a symbol changed, or a hypothesis left out."""
    stated = re.search(rf"^Theorem {theorem} .*?\.$(?=\s+Proof)", source, re.S | re.M)
    if not stated:
        raise LookupError(f"there is no Theorem {theorem}")
    text, begin = stated.group(), stated.start()
    start = _colon(text)
    edits = []
    for match in _SYMBOL.finditer(text, start):
        if match.group() in SYMBOLS:
            edits.append((match.span(), SYMBOLS[match.group()], f"{match.group().strip()!r} changed"))
    edits += [(span, "", "a hypothesis is left out") for span in _hypotheses(text, start)]
    return [
        Mutant(
            source[:begin] + text[:first] + new + text[last:] + source[begin + len(text) :],
            source.count("\n", 0, begin + first) + 1,
            f"{theorem}: {change}",
        )
        for (first, last), new, change in edits
    ]


def _colon(text: str) -> int:
    """Where the statement begins: binders before the colon say what is spoken of, not what is said."""
    depth = 0
    for match in re.compile(r"[(\[{]|[)\]}]| :").finditer(text):
        token = match.group()
        if token != " :":
            depth += 1 if token in "([{" else -1
        elif depth == 0:
            return match.start()
    raise LookupError("the theorem has no statement")


def _hypotheses(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The spans of `H ->` at the outer level of a statement; arrows in the types of quantified variables are none."""
    depth, begin, binding = 0, start + 2, False
    for match in re.compile(r"[(\[{]|[)\]}]|\b(?:forall|exists)\b|(?<!\\)\bin\b|<->|->|,|/\\|\\/").finditer(
        text, start + 2
    ):
        token = match.group()
        if token in "([{)]}":
            depth += 1 if token in "([{" else -1
        elif depth:
            continue
        elif token in ("forall", "exists"):
            binding = True
        elif token in (",", "in", "/\\", "\\/"):
            begin, binding = match.end(), False
        elif token == "->" and not binding:
            yield begin, match.end()
            begin = match.end()
