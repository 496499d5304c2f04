"""The folder of an experiment: asked for before the work, replaced as a whole after it.

Parts that are kept between runs are written into it one by one, and stay.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.models.files.whole import Owner, placeable

__all__ = ["owned"]

# Of all experiments.
PARTS = ("runs", "shards")


def owned(folder: Path, command: str, settings: object, *, force: bool, read: Iterable[Path] = ()) -> Owner:
    """Who makes the folder: the command with these settings (JSON). A result of others is not replaced unasked.

    Raises
    ------
    InputError
        If something else lies there, without `force`; or if the folder holds a file that is read here.
    """
    owner = Owner(command, content_key(json.dumps(settings, sort_keys=True)))
    placeable(folder, owner, force=force, kept=PARTS, read=read)
    return owner
