"""Check the certificate of recorded activations: the files it names by their digests, and every fact about them."""

from pathlib import Path

from proof_of_absence.checker.independent.kinds.recorded import DECIDED, Layer
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import table
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.recording import tables
from proof_of_absence.checker.independent.values.reported import require_types

FORMAT = "absence-recorded-certificate/2"
NAME = "recorded.json"
LARGEST = 2**30
FIELDS = {"format", "scope", "layers", "digest"}
LAYER = {"name", "dtype", "train", "deploy", "test", "factor", "facts"}
# What all of it is about, and nothing beyond.
SCOPE = (
    "Scope: instance, recorded activations. Every statement is about the recorded numbers, exactly; nothing is said "
    "about the network at other inputs, nor about intent: a high leverage says that a row is far from the training "
    "rows."
)
# What each kind of fact consists of.
KEYS = {
    "recorded-columns": {"kind", "rows", "columns", "constant", "values"},
    "recorded-rank": {"kind", "low", "high", "prime", "rows", "columns", "relations"},
    "recorded-moves": {"kind", "rows", "columns", "relations", "inputs"},
    "readout-prices": {"kind", "layer", "penalty", "move", "columns", "directions", "rows"},
}
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
    require(certificate["scope"] == SCOPE, "the scope is not that of recorded activations")
    try:
        names = [layer["name"] for layer in certificate["layers"]]
        own = len(set(names)) == len(names) > 0 and all(isinstance(name, str) for name in names)
        require(own, "a layer is missing, or two have one name")
        for entry in certificate["layers"]:
            factor = None if entry["factor"] is None else table(path.parent, entry["factor"], "factor")
            check_layer(path.parent, entry, factor)
    except MALFORMED as error:
        raise Refused(f"a fact is malformed: {type(error).__name__}: {error}") from error
    return certificate


def check_layer(folder: Path, entry: Fact, factor: Floats | None) -> None:
    """Check what is stated of a layer, whose files lie as they are named from the folder; `factor` is what it names.

    Raises
    ------
    Refused, LookupError, TypeError, ValueError, ArithmeticError, AttributeError
        If a fact is not so, or malformed.
    """
    require(set(entry) == LAYER, "fields of a layer are missing or unknown")
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
    layer = Layer(train, deploy, test, factor)
    for fact in entry["facts"]:
        require(fact["kind"] in DECIDED, f"a fact of kind {fact['kind']!r} is not understood")
        require(set(fact) == KEYS[fact["kind"]], f"parts of {fact['kind']} are missing or unknown")
        require_types(fact)
        DECIDED[fact["kind"]](layer, fact)


def told(certificate: Fact) -> str:
    """In words what was accepted."""
    layers = certificate["layers"]
    facts, rows = (sum(map(count, layers)) for count in (lambda x: len(x["facts"]), _rows))
    return f"{facts} facts about {rows:,} recorded rows of {len(layers)} layer{'' if len(layers) == 1 else 's'}"


def _rows(layer: Fact) -> int:
    return sum(file["rows"] for file in (*layer["train"], *layer["deploy"], *layer["test"]))
