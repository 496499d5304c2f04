"""Check the result of an experiment: one sealed file of parameters and facts, each fact decided anew.

Parameters, versions and scope are words for the reader; what is claimed are the facts, and a fact left out claims nothing.
"""

import hashlib
import json
from pathlib import Path

from absence.checker.independent.facts import check_fact
from absence.checker.independent.refusal import Refused, require

FORMAT = "absence-experiment/1"
NAME = "result.json"
LARGEST = 256 * 2**20
FIELDS = {"format", "experiment", "parameters", "versions", "scope", "facts", "digest"}


def result_in(path: Path) -> Path | None:
    """The experiment's result that a folder holds, or that the path is; None if there is none there."""
    file = path / NAME if path.is_dir() else path
    return file if file.name == NAME and file.is_file() else None


def check_experiment(path: Path) -> dict:
    """Check an experiment's result and every fact in it; returns it.

    Raises
    ------
    Refused
        If the file is no such result, or a fact is not so.
    """
    try:
        require(path.stat().st_size <= LARGEST, f"larger than {LARGEST} bytes")
        result = json.loads(path.read_text(encoding="utf-8"))
        require(isinstance(result, dict) and result.get("format") == FORMAT, f"not in the format {FORMAT}")
        require(set(result) == FIELDS, "fields are missing or unknown")
        content = {key: value for key, value in result.items() if key != "digest"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        sealed = hashlib.sha256(text.encode()).hexdigest() == result["digest"]
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"not readable as JSON: {error}") from error
    require(sealed, "the digest does not fit the content")
    facts = result["facts"]
    require(isinstance(facts, list) and bool(facts), "there is no fact")
    for number, fact in enumerate(facts, 1):
        try:
            check_fact(fact)
        except Refused as reason:
            raise Refused(f"fact {number}: {reason}") from reason
    return result
