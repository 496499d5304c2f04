"""README's table of what is trusted, and that of docs/certificates.md of what is left, made from the certificates.

`python -m tests.trust`, in the root of the repository and after `make verify`, writes both anew.
"""

import json
import sys
from pathlib import Path

from proof_of_absence.checker.kernel.verify import certificate_paths
from proof_of_absence.checker.proved import left, trust
from proof_of_absence.checker.proved.opinion import opinions
from proof_of_absence.checker.report.trusted import markdown

ROOT = Path(__file__).parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs" / "certificates.md"
BEGINS, ENDS = "<!-- By `python -m tests.trust`, from the certificates: -->\n\n", "\n<!-- As far as here. -->\n"


def counted(certificates: Path) -> list[trust.Row]:
    """What the certificates of a folder rest on; the proved checker must be there."""
    return trust.table(*_read(certificates))


def each(certificates: Path) -> dict[str, trust.Trust]:
    """What must be believed for each obligation whose certificate a folder has."""
    found, opinions_of = _read(certificates)
    return {name: trust.whole(certificate, opinions_of.get(name)) for name, certificate in found.items()}


def told_left(certificates: Path) -> str:
    """What instance obligations the proved checker leaves, as docs/certificates.md has it."""
    return left.markdown(left.left(*_read(certificates), "instance"))


def written(page: Path) -> str:
    """The table as a page has it."""
    return page.read_text(encoding="utf-8").split(BEGINS)[1].split(ENDS)[0]


def _read(certificates: Path) -> tuple[dict, dict]:
    paths = certificate_paths(certificates)
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    return found, {path.stem: opinion for path, opinion in opinions(paths).items()}


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "certificates")
    for page, table in ((README, markdown(counted(folder))), (PAGE, told_left(folder))):
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(BEGINS + written(page), BEGINS + table), encoding="utf-8")
