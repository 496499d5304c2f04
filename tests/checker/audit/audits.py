"""Audits to test the reports with: any that the types allow, one written by hand, and one of a wide net."""

from fractions import Fraction

from hypothesis import strategies as st

from proof_of_absence.checker.audit.findings import (
    Activity,
    Audit,
    CircuitFinding,
    DataSummary,
    DeploymentFinding,
    Enclosure,
    Improvement,
    NetSummary,
    PricedInput,
    Prices,
    RankFinding,
    Readout,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.reading import Reading

EXACT = st.one_of(
    st.fractions(),
    st.builds(lambda p, q: Fraction(p, q), st.integers(-(10**400), 10**400), st.integers(1, 10**400)),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROWS = st.integers(0, 10**6)
SECONDS = st.floats(0, 1e6)


def several(element, least=0, most=3):
    """Tuples of a few."""
    return st.lists(element, min_size=least, max_size=most).map(tuple)


ENCLOSURES = st.builds(lambda low, width: Enclosure(low, low + width), EXACT, st.just(Fraction(0)) | EXACT.map(abs))
UNITS = st.builds(Unit, st.integers(1, 4), st.integers(0, 10**5))
CIRCUITS = several(UNITS, 1)
BOUNDS = st.tuples(EXACT.map(abs), st.none() | EXACT.map(abs))
PRICED = st.builds(PricedInput, ROWS, BOUNDS, BOUNDS, st.none()) | st.builds(
    PricedInput, ROWS, st.none(), st.none(), st.just(0)
)


def audits():
    """Audits of every shape that the types allow, sense or not."""
    return st.builds(
        Audit,
        net=st.builds(
            NetSummary,
            TEXT,
            TEXT,
            several(st.integers(1, 9), 2, 4),
            st.integers(1),
            st.sampled_from(["float32", "float64"]),
            st.none() | st.builds(Reading, several(TEXT), TEXT, TEXT, several(TEXT), TEXT),
        ),
        data=st.builds(
            DataSummary,
            TEXT,
            TEXT,
            st.integers(1, 99),
            st.integers(1, 99),
            st.none() | ENCLOSURES,
            st.none() | ENCLOSURES,
            st.sampled_from(["mean squared error", "cross-entropy of the softmax", ""]),
            TEXT,
        ),
        units=several(
            st.builds(
                UnitFinding,
                UNITS,
                st.sampled_from(Activity),
                st.none() | st.booleans(),
                st.none() | st.tuples(ROWS, ROWS),
                st.none() | ENCLOSURES,
                st.none() | ENCLOSURES,
                st.none() | st.tuples(several(EXACT), EXACT),
            ),
            most=5,
        ),
        circuits=several(
            st.builds(CircuitFinding, CIRCUITS, st.dictionaries(UNITS, EXACT, max_size=3), st.none() | several(ROWS))
        ),
        ranks=several(
            st.builds(
                RankFinding,
                st.integers(1, 4),
                st.integers(1, 99),
                st.none() | st.booleans(),
                st.none() | st.integers(2, 2**61),
                several(ROWS),
                st.none() | several(EXACT),
                st.none() | st.integers(1, 9),
                st.none() | several(ROWS),
            )
        ),
        deployment=several(
            st.builds(
                DeploymentFinding,
                ROWS,
                st.sampled_from([(1, 1), (2, 3), (1, 3), None]),
                st.booleans(),
                st.none() | ROWS,
                st.none() | st.tuples(several(EXACT), EXACT),
                st.none() | several(st.tuples(ROWS, EXACT)),
                st.none() | several(st.tuples(ROWS, EXACT)),
            )
        ),
        improvement=st.none()
        | st.builds(
            Improvement,
            CIRCUITS,
            several(EXACT),
            EXACT,
            several(EXACT),
            several(EXACT),
            ENCLOSURES,
            ENCLOSURES,
            ENCLOSURES,
            st.none() | TEXT,
        ),
        idle_price=st.none()
        | st.builds(Prices, EXACT, several(EXACT), EXACT, EXACT, ENCLOSURES, several(ENCLOSURES), st.integers(0, 3)),
        regions=several(
            st.builds(
                RegionFinding,
                CIRCUITS,
                TEXT,
                st.sampled_from(["unsat", "sat", "unknown", "timeout"]),
                TEXT,
                st.none() | several(EXACT),
                SECONDS,
            )
        ),
        float32_deviation=st.none() | EXACT,
        undecided=several(TEXT),
        not_asked=several(TEXT),
        seconds=st.dictionaries(TEXT, SECONDS, max_size=2),
        readout=st.none()
        | st.builds(
            Readout,
            st.integers(1, 4),
            st.integers(1, 99),
            EXACT,
            st.none() | EXACT,
            several(st.integers(0, 9)),
            several(several(st.tuples(st.integers(0, 9), EXACT), 1), 1),
            several(PRICED),
            several(PRICED),
            several(PRICED),
        ),
    )


def exactly(value) -> Enclosure:
    """A known number."""
    return Enclosure(Fraction(value), Fraction(value))


def planted(source: str = "planted.onnx") -> Audit:
    """What an audit of a net with one dead detector and one idle pair might say."""
    varies = [
        UnitFinding(
            Unit(1, i), Activity.VARIES, False, (0, i + 1), exactly(Fraction(3, 7 + i)), exactly(Fraction(1, 3 + i))
        )
        for i in range(3)
    ]
    idle = [
        UnitFinding(Unit(1, 3), Activity.DEAD, True, None, exactly(0), exactly(Fraction(2, 9))),
        UnitFinding(Unit(1, 4), Activity.VARIES, False, (1, 2), Enclosure(Fraction(0), Fraction(1, 10**9)), None),
        UnitFinding(Unit(1, 5), Activity.VARIES, False, (1, 2), exactly(Fraction(1, 50)), None),
    ]
    out = Unit(2, 0)
    return Audit(
        NetSummary(source, "ab" * 32, (2, 6, 1), 25, "float32"),
        DataSummary(
            "train.npz",
            "cd" * 32,
            200,
            150,
            exactly(Fraction(1, 3)),
            Enclosure(Fraction(1, 9), Fraction(2, 9)),
            "mean squared error",
            "targets are numbers",
        ),
        (*varies, *idle),
        (
            CircuitFinding((Unit(1, 3),), {out: Fraction(0)}, (0, 2)),
            CircuitFinding((Unit(1, 4), Unit(1, 5)), {out: Fraction(2, 3)}, ()),
        ),
        (
            RankFinding(
                1, 7, False, dependency=(Fraction(1), *[Fraction(0)] * 3, Fraction(1, 2), Fraction(0), Fraction(0))
            ),
        ),
        (
            DeploymentFinding(0, (1, 1), separation=((Fraction(1), Fraction(0)), Fraction(-9))),
            DeploymentFinding(1, (2, 3), combination=((0, Fraction(1, 2)), (4, Fraction(1, 2)))),
            DeploymentFinding(2, (1, 1), separation=((Fraction(0), Fraction(1)), Fraction(-9))),
            DeploymentFinding(3, None, train_row=7),
            DeploymentFinding(4, (1, 3), decided=False),
        ),
        Improvement(
            (Unit(1, 3),),
            (Fraction(1, 2), Fraction(-3)),
            Fraction(1, 4),
            (Fraction(2),),
            (Fraction(0),),
            exactly(Fraction(1, 3)),
            exactly(Fraction(1, 4)),
            exactly(Fraction(1, 12)),
            "improved.onnx",
        ),
        Prices(
            Fraction(1, 1000),
            (Fraction(1), Fraction(2)),
            Fraction(1, 5),
            Fraction(4),
            exactly(Fraction(1, 10**6)),
            (exactly(Fraction(1, 10**6)),),
            3,
        ),
        (
            RegionFinding((Unit(1, 3),), "box.vnnlib", "sat", witness=(Fraction(9), Fraction(1, 3)), seconds=0.4),
            RegionFinding((Unit(1, 4), Unit(1, 5)), "box.vnnlib", "timeout", "60 s", seconds=60.0),
        ),
        Fraction(1, 2**20),
        ("circuit {1.4, 1.5} over box.vnnlib: timeout after 60 s",),
        {"units": 0.5, "ranks": 1.25},
    )


def wide(width: int = 10**4) -> Audit:
    """A net of two hidden layers of this width, with hundreds of idle circuits."""
    kinds = [Activity.DEAD, Activity.VARIES, Activity.VARIES, Activity.CONSTANT, Activity.VARIES]
    units = tuple(
        UnitFinding(Unit(layer, i), kinds[i % 5], kinds[i % 5] is not Activity.VARIES, None,
                    exactly(Fraction(i % 97, 1 + i)), exactly(Fraction(i % 13, 1 + i)))
        for layer in (1, 2) for i in range(width)
    )  # fmt: skip
    audit = planted()
    return Audit(
        NetSummary("wide.safetensors", "ef" * 32, (784, width, width, 10), 784 * width + width**2, "float32"),
        audit.data,
        units,
        tuple(
            CircuitFinding(
                (u.unit,), {Unit(u.unit.layer + 1, k): Fraction(k) for k in range(10)}, tuple(range(u.unit.index % 7))
            )
            for u in units
            if u.idle
        ),
        (
            RankFinding(1, width + 1, True, prime=2**61 - 1, rows=tuple(range(width + 1))),
            RankFinding(2, width + 1, None),
        ),
        tuple(DeploymentFinding(row, (1, 1) if row % 3 else (2, 3)) for row in range(5000)),
        undecided=("layer 2: the rank is not decided",),
    )
