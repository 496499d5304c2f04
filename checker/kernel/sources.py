"""The sources of ours that a module's code comes from: its own file and those of all that it imports, found by reading.

Nothing is imported for this, so an import that only a function makes, when it is called, is seen too.
"""

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

__all__ = ["coq_beside", "imported", "modules_of"]

# Everything that decides: what these rooms hold counts, whether a claim imports it or not.
ALWAYS = ("proof_of_absence.checker.kernel", "proof_of_absence.checker.independent")


def imported(modules: Iterable[str]) -> frozenset[Path]:
    """The files of the modules, the kernel and the independent checker, and of all they import from our packages."""
    waiting = [*modules, *(name for room in ALWAYS for name in modules_of(room))]
    tops = {"proof_of_absence", *(name.split(".")[0] for name in waiting)}
    files: set[Path] = set()
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or module.split(".")[0] not in tops:
            continue
        seen.add(module)
        if file := _file(module):
            files.add(file)
            waiting += _imports(module, file)
        for package in _above(module):
            if file := _file(package):
                files.add(file)
                waiting += _imports(package, file, only_on_loading=True)
    return frozenset(files)


@cache
def modules_of(package: str) -> tuple[str, ...]:
    """The names of a package and of all modules below it."""
    folder = _folder(package)
    if folder is None:
        return (package,)
    below = (path.relative_to(folder).with_suffix("").parts for path in folder.rglob("*.py"))
    return tuple(sorted(".".join([package, *(part for part in parts if part != "__init__")]) for parts in below))


def coq_beside(modules: Iterable[str]) -> frozenset[Path]:
    """The Coq sources below the folders in which the modules lie."""
    folders = {file.parent for module in modules if (file := _file(module))}
    return frozenset(
        path for folder in folders for path in folder.rglob("*") if path.suffix == ".v" or path.name == "_CoqProject"
    )


@cache
def _imports(module: str, file: Path, *, only_on_loading: bool = False) -> tuple[str, ...]:
    """What a file imports; with `only_on_loading`, without what its functions import when they are called."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    statements = _statements(ast.parse(file.read_bytes()), only_on_loading)
    return tuple(name for statement in statements for name in _named(statement, package))


# Where the statements are that a statement holds: no expression holds an import.
_HOLDS = ("body", "orelse", "finalbody", "handlers", "cases")


def _statements(node: ast.AST, only_on_loading: bool) -> Iterator[ast.AST]:
    """The statements in a module, one in the other too; with `only_on_loading`, those that run when it is loaded."""
    for part in _HOLDS:
        for child in getattr(node, part, ()):
            if only_on_loading and _is_left_out_on_loading(child):
                continue
            yield child
            yield from _statements(child, only_on_loading)


def _is_left_out_on_loading(node: ast.AST) -> bool:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _named(statement: ast.AST, package: str) -> Iterator[str]:
    """The modules that a statement imports. A name that is no module of its package is made by the package itself."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        source = importlib.util.resolve_name("." * statement.level + (statement.module or ""), package)
        for alias in statement.names:
            module = f"{source}.{alias.name}"
            yield module if _file(module) else source


def _above(module: str) -> Iterator[str]:
    """The packages that are loaded before the module."""
    while module := module.rpartition(".")[0]:
        yield module


@cache
def _file(module: str) -> Path | None:
    """The module's file; None for what is no module, and for a top package without a file."""
    top, *rest = module.split(".")
    folder = _folder(top)
    if folder is None:
        spec = None if rest else importlib.util.find_spec(top)
        return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    place = folder.joinpath(*rest)
    candidates = [place / "__init__.py", *([place.with_name(f"{place.name}.py")] if rest else [])]
    return next((path for path in candidates if path.is_file()), None)


@cache
def _folder(package: str) -> Path | None:
    """The package's folder; None for a module, and for what is not installed."""
    top, *rest = package.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*rest)
