"""A check that is ended at any of its pauses has accepted nothing; one that is not ended is the same as ever."""

import numpy as np
import pytest

from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.independent.pause import at_pauses, pause, pausing
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.independent.values import floats, products
from tests.checker.audit.test_deadline import DEPLOY, INPUTS, NET, REGIONS, TARGETS


class Ended(Exception):
    """Nothing that a checker raises or catches."""


class Watch:
    """Ends a check at one of its pauses."""

    def __init__(self, at):
        self.at, self.pauses = at, 0

    def __call__(self):
        self.pauses += 1
        if self.pauses == self.at:
            raise Ended


def test_without_a_watch_a_pause_does_nothing():
    pause()
    assert list(pausing(range(3))) == [0, 1, 2]


def test_the_watch_before_is_back_afterwards():
    outer, inner = Watch(0), Watch(0)
    with at_pauses(outer):
        with at_pauses(inner):
            pause()
        assert list(pausing("ab")) == ["a", "b"]
    pause()
    assert (outer.pauses, inner.pauses) == (2, 1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate with facts of nearly every kind."""
    folder = tmp_path_factory.mktemp("audit")
    found = examine(NET, INPUTS, TARGETS, seconds=None, deploy=DEPLOY, regions=REGIONS)
    audit = found.audit
    certify(
        folder, NET, INPUTS, DEPLOY, units=audit.units, circuits=audit.circuits, ranks=audit.ranks,
        deployment=audit.deployment, regions=found.facts,
    )  # fmt: skip
    return folder / "certificate.json"


def test_a_check_ended_at_any_pause_accepts_nothing(certificate):
    watch = Watch(0)
    with at_pauses(watch):
        check_audit(certificate)
    assert watch.pauses > 200
    for at in range(1, watch.pauses + 1, 7):
        with pytest.raises(Ended), at_pauses(Watch(at)):
            check_audit(certificate)


def test_a_long_product_of_integers_pauses_and_is_the_same(monkeypatch):
    monkeypatch.setattr(products, "PRODUCTS", 30 * 30 * 4)
    # One by one; below they are made of digits.
    monkeypatch.setattr(products, "FEW", 2**30)
    rng = np.random.default_rng(0)
    net = floats.FloatNet([(rng.normal(size=(30, 30)), rng.normal(size=30)), (rng.normal(size=(1, 30)), np.zeros(1))])
    rows, watch = rng.normal(size=(40, 30)), Watch(0)
    with at_pauses(watch):
        found = net.exact(rows, 2)
    monkeypatch.undo()
    assert watch.pauses >= 10 and (found.whole == net.exact(rows, 2).whole).all()
