"""The stages of an audit, one after the other: timed, kept between runs, and a stage that fails is told as undecided.

What is kept is keyed by the contents that it was made from and by this program's own sources, so nothing stale is used.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from time import monotonic

import absence.checker
import absence.models
import numpy as np
from absence.checker.audit.report_json import decode, encode
from absence.checker.certificate import seal, write
from absence.models.floatnet import FloatNet

__all__ = ["Stages", "content_key", "sources"]


@cache
def sources() -> str:
    """A digest of the code that the results come from."""
    digest = hashlib.sha256(np.__version__.encode())
    for package in (absence.models, absence.checker):
        folder = Path(package.__file__).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def content_key(*parts: object) -> str:
    """SHA-256 of nets, arrays and texts, taken one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, FloatNet):
            arrays = [array for layer in part.layers for array in layer]
            digest.update(f"net {part.dtype}\0".encode())
        else:
            arrays = [part] if isinstance(part, np.ndarray) else []
            if not arrays:
                digest.update(f"text {len(str(part))}\0{part}".encode("utf-8", "backslashreplace"))
        for array in arrays:
            digest.update(f"array {array.dtype.str} {array.shape}\0".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class Stages:
    """Runs stages and collects their times and what they leave undecided.

    Parameters
    ----------
    folder
        Where results are kept; None keeps nothing.
    subject
        `content_key` of everything that is audited.
    progress
        Called with a stage's name before it runs.
    """

    def __init__(self, folder: Path | None, subject: str, progress: Callable[[str], None]):
        self.folder, self.subject, self.progress = folder, subject, progress
        self.seconds: dict[str, float] = {}
        self.undecided: list[str] = []
        # In order, each once.
        self.kept: dict[str, None] = {}

    def run(
        self,
        name: str,
        kind: object,
        stage: Callable[[], object],
        *,
        final=lambda value: True,
        of: object = "",
        under: str = "",
    ):
        """The stage's result, from an earlier run if it is kept; None if the stage fails, which is then undecided.

        Parameters
        ----------
        kind
            The result's type, as `decode` takes it.
        final
            Whether a result is worth keeping: one that ran out of time is not.
        of
            What the result depends on besides the subject.
        under
            The heading under which its time is counted, by default its name.
        """
        under = under or name
        self.progress(name)
        started = monotonic()
        key = content_key(sources(), self.subject, name, of)
        path = self.folder and self.folder / f"{key[:32]}.json"
        found, value = self._kept(path, key, kind)
        if found:
            self.kept[under] = None
            return value
        try:
            value = stage()
        # Whatever goes wrong in one stage, the others still run, and the audit does not pass.
        except Exception as error:
            reason = " ".join(str(error).split()) or "no reason given"
            self.undecided.append(f"{name} failed: {type(error).__name__}: {reason}")
            return None
        finally:
            self.seconds[under] = self.seconds.get(under, 0.0) + monotonic() - started
        if path and final(value):
            write(path, json.dumps(seal({"key": key, "stage": name, "value": encode(value)})))
        return value

    def _kept(self, path: Path | None, key: str, kind: object) -> tuple[bool, object]:
        if path is None or not path.exists():
            return False, None
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key and seal(kept) == kept:
                return True, decode(kind, kept["value"])
        # A damaged file is no result: the stage runs again.
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return False, None
