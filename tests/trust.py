"""README's table of what is trusted, made from the certificates.

`python -m tests.trust`, in the root of the repository and after `make verify`, writes it anew.
"""

import json
import sys
from pathlib import Path

from proof_of_absence.checker.kernel.verify import certificate_paths
from proof_of_absence.checker.proved import trust
from proof_of_absence.checker.proved.opinion import opinions
from proof_of_absence.checker.report.trusted import markdown

README = Path(__file__).parents[1] / "README.md"
BEGINS, ENDS = "<!-- By `python -m tests.trust`, from the certificates: -->\n\n", "\n<!-- As far as here. -->\n"


def counted(certificates: Path) -> list[trust.Row]:
    """What the certificates of a folder rest on; the proved checker must be there."""
    paths = certificate_paths(certificates)
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    return trust.table(found, {path.stem: opinion for path, opinion in opinions(paths).items()})


def in_readme() -> str:
    """The table as README has it."""
    return README.read_text(encoding="utf-8").split(BEGINS)[1].split(ENDS)[0]


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "certificates")
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(BEGINS + in_readme(), BEGINS + markdown(counted(folder))), encoding="utf-8")
