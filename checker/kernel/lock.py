"""The lock: the exact versions that the stated verdicts were made with, and where the installed ones differ."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from packaging.requirements import Requirement
from packaging.version import Version

__all__ = ["DECIDING", "LIBRARIES", "MISSING", "differences", "installed", "locked", "unlocked", "version_of"]

# The libraries that facts are made and checked with.
LIBRARIES = ("python-flint", "networkx", "numpy", "sympy")
# What a verdict on a claim may depend on.
DECIDING = ("z3-solver", "cvc5", *LIBRARIES)
MISSING = "missing"


def locked() -> dict[str, Version]:
    """The locked version of each package, by its name in the package index; what is not for this Python is left out."""
    text = files("proof_of_absence").joinpath("constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = {}
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            found[requirement.name] = Version(pin.version)
    return found


@cache
def version_of(name: str) -> str:
    """The installed version of a package, by its name in the package index, or ``missing``."""
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING


def installed(name: str) -> Version | None:
    """The installed version, without what its builder added after a plus sign; None if it is missing."""
    text = version_of(name)
    return None if text == MISSING else Version(Version(text).public)


def differences(here: Mapping[str, Version | None], lock: Mapping[str, Version]) -> str:
    """One line that names each version that is not the locked one; empty if all are."""
    told = [
        f"{name} {found or 'is missing'} (locked {lock[name]})" for name, found in here.items() if found != lock[name]
    ]
    return f"Not the versions that the stated verdicts were made with: {', '.join(told)}" if told else ""


def unlocked() -> str:
    """What `differences` says of what is installed here and decides."""
    return differences({name: installed(name) for name in DECIDING}, locked())
