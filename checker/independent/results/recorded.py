"""Check the certificate of recorded activations: the files it names by their digests, and every fact about them."""

from pathlib import Path

from proof_of_absence.checker.independent.kinds.recorded import DECIDED, Layer
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import table
from proof_of_absence.checker.independent.values.recording import tables

FORMAT = "absence-recorded-certificate/2"
NAME = "recorded.json"
LARGEST = 2**30
FIELDS = {"format", "scope", "layers", "digest"}
LAYER = {"name", "dtype", "train", "deploy", "test", "factor", "facts"}
# What all of it is about, and nothing beyond.
SCOPE = "Scope: instance, recorded activations."
# In this order: later facts rest on earlier ones.
FIRST = ["recorded-columns", "recorded-rank"]
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


def check_recorded(path: Path) -> Fact:
    """Check that every fact is so of the recorded numbers; returns the certificate.

    Raises
    ------
    Refused
        If the file is no such certificate, a file it names is another, or a fact is not so.
    """
    certificate = read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)
    require(str(certificate["scope"]).startswith(SCOPE), "the scope is not that of recorded activations")
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
    test = tables(folder, entry["test"], entry["dtype"])
    same = all(one.columns == train[0].columns for one in (*deploy, *test))
    require(same, "deployment or test rows are of another width")
    kinds = [fact["kind"] for fact in entry["facts"]]
    require(len(set(kinds)) == len(kinds), "two facts of one kind about a layer")
    require(kinds[:2] == FIRST, "the first facts say which columns are constant, and the rank")
    require(("recorded-moves" in kinds) == bool(deploy), "what moves in deployment is stated just where there is one")
    priced = "readout-prices" in kinds
    require(priced or entry["factor"] is None, "a factor comes with prices")
    require(not priced or bool(deploy or test), "prices are stated where there are deployment or test rows")
    factor = None if entry["factor"] is None else table(folder, entry["factor"], "factor")
    layer = Layer(train, deploy, test, factor)
    for fact in entry["facts"]:
        require(fact["kind"] in DECIDED, f"a fact of kind {fact['kind']!r} is not understood")
        DECIDED[fact["kind"]](layer, fact)


def told(certificate: Fact) -> str:
    """In words what was accepted."""
    layers = certificate["layers"]
    facts, rows = (sum(map(count, layers)) for count in (lambda x: len(x["facts"]), _rows))
    return f"{facts} facts about {rows:,} recorded rows of {len(layers)} layer{'' if len(layers) == 1 else 's'}"


def _rows(layer: Fact) -> int:
    return sum(file["rows"] for file in (*layer["train"], *layer["deploy"], *layer["test"]))
