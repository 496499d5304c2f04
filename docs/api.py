"""Writes the pages of the API from the docstrings: python docs/api.py build/api."""

import sys
from pathlib import Path

import pdoc

import proof_of_absence

PARTS = ("models", "checker", "proofs")


def main(folder: Path) -> None:
    """Write a page for every module; the first is build/api/index.html."""
    # The package loads its public names when they are asked for; pdoc looks only at what is loaded.
    for name in proof_of_absence.__all__:
        setattr(proof_of_absence, name, getattr(proof_of_absence, name))
    pdoc.render.configure(docformat="numpy", footer_text="Absence")
    pdoc.pdoc(proof_of_absence.__name__, *(f"proof_of_absence.{part}" for part in PARTS), output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
