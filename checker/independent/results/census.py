"""The file of a census: the whole histogram of a quantised class, its masses, and where they cross a level."""

from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.kinds.class_census import Census, confirm
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.sealed import read_sealed

FORMAT = "absence-census/1"
FIELDS = {"format", "scope", "problem", "unit", "cells", "sets", "masses", "levels", "versions", "digest"}
LARGEST = 2**28  # bytes of a result


def check_census(path: Path) -> dict[str, Any]:
    """Check a census: the whole histogram of losses, the masses and the crossings; returns it.

    Raises
    ------
    Refused
        If the file is no census, or anything in it is not so.
    """
    result = read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)
    try:
        found = Census(result["problem"])
        listed = {loss: counts for loss, counts in result["levels"]}
        require(len(listed) == len(result["levels"]), "a loss is listed twice")
        require_equal("the histogram of the losses", listed, found.levels)
        confirm(found, result)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise Refused(f"the census is malformed: {type(error).__name__}: {error}") from error
    return result
