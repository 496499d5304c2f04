"""Check the result of an experiment: that it is whole, and that each of its facts is so. Its words and plots are made from these."""

import hashlib
import json
from pathlib import Path

from absence.checker.independent.facts import check_fact
from absence.checker.independent.refusal import Refused, require

FORMAT = "absence-experiment/1"
NAME = "result.json"
LARGEST = 2**26


def experiment_in(path: Path) -> Path | None:
    """The experiment's result that a folder holds, or that the path is; None if there is none there."""
    file = path / NAME if path.is_dir() else path
    return file if file.name == NAME and file.is_file() else None


def check_experiment(path: Path) -> dict:
    """Check a result and every fact in it; returns it.

    Raises
    ------
    Refused
        If the file is no such result, any byte of it is not what was sealed, or a fact is not so.
    """
    try:
        require(path.stat().st_size <= LARGEST, f"larger than {LARGEST} bytes")
        result = json.loads(path.read_text(encoding="utf-8"))
        require(isinstance(result, dict) and result.get("format") == FORMAT, f"not in the format {FORMAT}")
        content = {key: value for key, value in result.items() if key != "digest"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        sealed = hashlib.sha256(text.encode()).hexdigest() == result.get("digest")
    except (OSError, ValueError, RecursionError) as error:
        raise Refused(f"not readable as JSON: {error}") from error
    require(sealed, "the digest does not fit the content")
    facts = result.get("facts")
    require(isinstance(facts, dict) and bool(facts), "it holds no facts")
    for name, fact in facts.items():
        try:
            check_fact(fact)
        except Refused as reason:
            raise Refused(f"{name}: {reason}") from reason
    return result
