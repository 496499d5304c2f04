"""``python -m absence.checker.independent FILE...``: check certificates (or the folder of an audit or a census), a line for each; exit 1 if one is refused."""

import sys
from pathlib import Path

from absence.checker.independent.audit import certificate_in, check_audit
from absence.checker.independent.census import census_in, check_census
from absence.checker.independent.check import check_file
from absence.checker.independent.refusal import Refused


def main(paths: list[str]) -> int:
    """Check the files."""
    refused = 0
    for path in map(Path, paths):
        try:
            if audit := certificate_in(path):
                print(f"accepted {audit}: {len(check_audit(audit)['facts'])} facts of an audit")
                continue
            if census := census_in(path):
                print(f"accepted {census}: a census of a class of {len(check_census(census)['levels'])} losses")
                continue
            certificate = check_file(path)
            print(f"accepted {path}: {certificate['verdict']} {certificate['obligation']}")
        except Refused as reason:
            refused += 1
            print(f"REFUSED {path}: {reason}")
    return 1 if refused or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
