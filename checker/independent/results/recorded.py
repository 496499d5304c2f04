"""Check the certificate of recorded activations: the files it names by their digests, and every fact about them."""

from pathlib import Path

from proof_of_absence.checker.independent.kinds.recorded import KINDS, Layer
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.recording import tables

FORMAT = "absence-recorded-certificate/1"
NAME = "recorded.json"
LARGEST = 2**30
FIELDS = {"format", "scope", "layers", "digest"}
LAYER = {"name", "dtype", "train", "deploy", "facts"}
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


def check_recorded(path: Path) -> Fact:
    """Check that every fact is so of the recorded numbers; returns the certificate.

    Raises
    ------
    Refused
        If the file is no such certificate, a file it names is another, or a fact is not so.
    """
    certificate = read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)
    try:
        names = [layer["name"] for layer in certificate["layers"]]
        require(len(set(names)) == len(names) > 0, "a layer is missing, or two have one name")
        for entry in certificate["layers"]:
            require(set(entry) == LAYER, "fields of a layer are missing or unknown")
            _check_layer(path.parent, entry)
    except MALFORMED as error:
        raise Refused(f"a fact is malformed: {type(error).__name__}: {error}") from error
    return certificate


def _check_layer(folder: Path, entry: Fact) -> None:
    train = tables(folder, entry["train"], entry["dtype"])
    deploy = tables(folder, entry["deploy"], entry["dtype"])
    require(bool(train), "there are no training rows")
    require(all(table.columns == train[0].columns for table in deploy), "deployment rows are of another width")
    layer, kinds = Layer(train, deploy), [fact["kind"] for fact in entry["facts"]]
    require(len(set(kinds)) == len(kinds), "two facts of one kind about a layer")
    require(kinds[:1] == ["recorded-columns"], "the first fact says which columns are constant")
    require(("recorded-moves" in kinds) == bool(deploy), "what moves in deployment is stated just where there is one")
    for fact in entry["facts"]:
        require(fact["kind"] in KINDS, f"a fact of kind {fact['kind']!r} is not understood")
        KINDS[fact["kind"]](layer, fact)


def told(certificate: Fact) -> str:
    """In words what was accepted."""
    layers = certificate["layers"]
    facts, rows = (sum(map(count, layers)) for count in (lambda x: len(x["facts"]), _rows))
    return f"{facts} facts about {rows:,} recorded rows of {len(layers)} layer{'' if len(layers) == 1 else 's'}"


def _rows(layer: Fact) -> int:
    return sum(file["rows"] for file in (*layer["train"], *layer["deploy"]))
