"""``python -m proof_of_absence.checker.independent FILE...``: check certificates and whole results, a line for each.

Exit status 1 if one is refused."""

import sys
from pathlib import Path

from proof_of_absence.checker.independent.check import check_file
from proof_of_absence.checker.independent.folder import check_whole, whole_in
from proof_of_absence.checker.independent.refusal import Refused


def main(paths: list[str]) -> int:
    """Check the files."""
    refused = 0
    for path in map(Path, paths):
        try:
            if whole := whole_in(path):
                print(f"accepted {whole}: {check_whole(whole)}")
                continue
            certificate = check_file(path)
            print(f"accepted {path}: {certificate['verdict']} {certificate['obligation']}")
        except Refused as reason:
            refused += 1
            print(f"REFUSED {path}: {reason}")
    return 1 if refused or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
