"""Sealed files: JSON in one format, with the SHA-256 of all that it holds but the digest itself."""

import hashlib
import json
from pathlib import Path

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact


def read_sealed(
    path: Path,
    form: str,
    *,
    largest: int,
    fields: set[str] | None = None,
    prefix: str = "",
    unsealed: str = "the digest does not fit the content",
) -> Fact:
    """The object that the file holds, of at most `largest` bytes and, if they are given, with just these fields.

    Raises
    ------
    Refused
        If it is no such file, or any byte of its content is not what was sealed. `prefix` begins the reason; `unsealed`
        is the reason where the digest is another.
    """
    try:
        require(path.stat().st_size <= largest, f"{prefix}larger than {largest} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
        require(isinstance(found, dict) and found.get("format") == form, f"{prefix}not in the format {form}")
        require(fields is None or set(found) == fields, "fields are missing or unknown")
        content = {key: value for key, value in found.items() if key != "digest"}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
    except OSError as error:
        raise Refused(f"{prefix}not readable: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{prefix}not readable as JSON: {error}") from error
    require(digest == found.get("digest"), unsealed)
    return dict(found)


def read_result(path: Path, form: str, *, largest: int) -> Fact:
    """A result of an experiment, or a part of one: as `read_sealed`, and a reason names the file.

    Raises
    ------
    Refused
        If it is no such file, or any byte of its content is not what was sealed.
    """
    unsealed = f"the digest of {path.name} does not fit its content"
    return read_sealed(path, form, largest=largest, prefix=f"{path.name} is ", unsealed=unsealed)


def read_part(folder: Path, entry: Fact, form: str, *, largest: int) -> Fact:
    """The part of a result that an entry of it names by `file` and `sha256`; it lies below the folder.

    Raises
    ------
    Refused
        If it lies elsewhere, cannot be read, or is another file.
    """
    name = Path(entry["file"])
    require(not name.is_absolute() and ".." not in name.parts, f"the file {name} lies elsewhere")
    try:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from error
    require(digest == entry["sha256"], f"{name} is not the file that the result was made from")
    return read_result(folder / name, form, largest=largest)
