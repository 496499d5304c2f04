"""The Coq files of the project, compiled once, and whether one of them with another text is refused,
by itself or by what uses it.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from proof_of_absence.checker.independent.coq import ALIASES, command, names_of_mathcomp_2

__all__ = ["SLOW", "Compiled", "theorem_files"]

# How a reason begins that is none: time ran out.
SLOW = "time ran out"


def theorem_files(folder: Path) -> list[Path]:
    """The files of ``_CoqProject``, in the order in which they are compiled."""
    return [folder / n for n in (folder / "_CoqProject").read_text(encoding="utf-8").split() if n.endswith(".v")]


@dataclass(frozen=True)
class Compiled:
    """A folder of compiled files, that of the originals to which it is set back,
    and the seconds that one file may take.
    """

    folder: Path
    original: Path
    limit: float

    @classmethod
    def of(cls, sources: Path, folder: Path, limit: float) -> "Compiled":
        """Compile a copy of the sources.

        Raises
        ------
        RuntimeError
            If one of them does not compile.
        """
        shutil.copytree(sources, folder)
        new = cls(folder, folder, limit)
        aliases = [] if names_of_mathcomp_2() else [folder / ALIASES]
        for path in aliases + theorem_files(folder):
            if failed := new._compile(path):
                raise RuntimeError(f"{path.name} fails without any change, so no score can be given: {failed}")
        return new

    def copy(self, folder: Path) -> "Compiled":
        """Another copy, to be worked in beside this one."""
        shutil.copytree(self.folder, folder)
        return Compiled(folder, self.folder, self.limit)

    def refuses(self, name: str, text: str) -> str:
        """Why Coq refuses the file with this text, or a file that uses it; empty if all compile."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        touched = {path.stem}
        try:
            if failed := self._compile(path):
                return failed
            for other in theorem_files(self.folder):
                used = re.findall(r"^From absence Require Import ([^.]*)\.", other.read_text(encoding="utf-8"), re.M)
                if touched & set(" ".join(used).split()):
                    touched.add(other.stem)
                    if failed := self._compile(other):
                        return failed if failed.startswith(SLOW) else f"{other.name}: {failed}"
            return ""
        finally:
            shutil.copy2(self.original / name, path)
            for stem in touched:
                for kind in (".vo", ".vos", ".vok", ".glob"):
                    if (self.original / f"{stem}{kind}").exists():
                        shutil.copy2(self.original / f"{stem}{kind}", self.folder)

    def _compile(self, path: Path) -> str:
        renamed = path.name != ALIASES and (self.folder / ALIASES).with_suffix(".vo").exists()
        call = command(path, self.folder, renamed=renamed)
        try:
            run = subprocess.run(call, cwd=self.folder, capture_output=True, text=True, timeout=self.limit)
        except subprocess.TimeoutExpired:
            return f"{SLOW}: coqc takes longer than {self.limit:g} s"
        return "" if run.returncode == 0 else " ".join(run.stderr.split())[-200:] or "coqc fails"
