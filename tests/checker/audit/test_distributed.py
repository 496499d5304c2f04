"""Shards and sub-problems: merged exactly, and nothing lost when a worker is."""

import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.distributed import decide_apart, merged, unit_findings_apart
from proof_of_absence.checker.audit.findings import Activity
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.region.decide import decide
from proof_of_absence.checker.region.question import question
from proof_of_absence.checker.region.search import Budget
from proof_of_absence.checker.screen.cluster import cluster
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems


def same(net, inputs, apart, whole):
    """Whether findings agree, and each witness of the first shows what it must."""
    assert [(f.unit, f.activity, f.idle) for f in apart] == [(f.unit, f.activity, f.idle) for f in whole]
    exact = net.exact()
    for finding in apart:
        if finding.activity is Activity.VARIES:
            one, other = (exact.activations(inputs[row].tolist())[finding.unit.layer] for row in finding.witness)
            assert one[finding.unit.index] != other[finding.unit.index]
        else:
            assert finding.witness is None


@given(problems(), st.data())
def test_shards_merge_to_the_findings_on_the_whole(problem, data):
    net, inputs = problem.net, problem.inputs
    cuts = data.draw(st.sets(st.integers(1, len(inputs) - 1))) if len(inputs) > 1 else set()
    starts = [0, *sorted(cuts)]
    parts = [unit_findings(net, shard) for shard in np.split(inputs, starts[1:])]
    same(net, inputs, merged(parts, starts, unit_findings(net, inputs[starts])), unit_findings(net, inputs))


def test_a_constant_in_each_shard_is_none_on_the_whole():
    net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 1.0]], [0.0])])
    inputs = np.array([[1.0], [1.0], [2.0], [2.0]])
    parts = [unit_findings(net, inputs[:2]), unit_findings(net, inputs[2:])]
    first, second = merged(parts, [0, 2], unit_findings(net, inputs[[0, 2]]))
    assert (first.activity, first.witness) == (Activity.VARIES, (2, 0))
    assert second.activity is Activity.DEAD


def test_what_one_shard_leaves_undecided_stays_so():
    net = FloatNet([([[1.0]], [-9.0]), ([[1.0]], [0.0])])
    (dead,) = unit_findings(net, np.zeros((1, 1)))
    open_ = type(dead)(dead.unit, Activity.UNDECIDED, None)
    assert merged([(dead,), (open_,)], [0, 1], (dead,)) == (open_,)


def deep(seed=5):
    """A net of two hidden layers with a unit that is dead on a box, which takes a search to show; and the question."""
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((10, 4)).round(3), rng.standard_normal(10).round(3)
    second = rng.standard_normal((2, 10)).round(3), np.array([-8.0, 0.0])
    net = FloatNet([first, second, (np.ones((1, 2)), [0.0])])
    return net, question(net, [(2, 0)], [-1] * 4, [1] * 4)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_does_not_answer_is_not_waited_for_beyond_the_time():
    net, asked = deep()
    with cluster(workers=1) as client:
        (threads,) = client.nthreads().values()
        busy = [client.submit(time.sleep, 600, pure=False) for _ in range(threads)]
        while len(client.cluster.scheduler.workers[next(iter(client.nthreads()))].processing) < threads:
            time.sleep(0.01)
        with within(Deadline(1)), pytest.raises(OutOfTime) as late:
            unit_findings_apart(client, net, np.ones((20, 4)))
        assert {unit.activity for unit in late.value.so_far} == {Activity.UNDECIDED}
        found = decide_apart(client, asked, seconds=1, nodes=1)
        assert (found.verdict, found.fact) == ("timeout", None)
        assert not any(task.done() for task in busy)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_loses_nothing():
    rng = np.random.default_rng(0)
    hidden, bias = rng.standard_normal((300, 16)), rng.standard_normal(300)
    bias[:20] = -100
    net = FloatNet([(hidden, bias), (rng.standard_normal((4, 300)), np.zeros(4))])
    inputs = rng.standard_normal((20_000, 16))
    whole = unit_findings(net, inputs)
    with cluster(workers=2) as client:
        pids = client.run(os.getpid)
        assert len({*pids.values(), os.getpid()}) == 3
        victim, pid = next(iter(pids.items()))
        work = client.cluster.scheduler.workers[victim].processing
        interrupted = []

        def kill():
            while not work and time.monotonic() < started + 20:
                time.sleep(0.001)
            os.kill(pid, signal.SIGKILL)
            interrupted.extend(work)

        started = time.monotonic()
        killer = threading.Thread(target=kill)
        killer.start()
        apart = unit_findings_apart(client, net, inputs, shards=40)
        killer.join()
        assert interrupted
        assert [(f.unit, f.activity, f.idle) for f in apart] == [(f.unit, f.activity, f.idle) for f in whole]
        assert sum(f.idle for f in apart) == 20

        _, asked = deep()
        alone = decide(asked, Budget())
        together = decide_apart(client, asked, nodes=2)
        assert (together.verdict, alone.verdict) == ("unsat", "unsat")
        assert alone.nodes > 4
        check_fact(together.fact)
        with cluster(scheduler=client.scheduler.address) as other:
            assert decide_apart(other, asked, nodes=2).tree == together.tree
        out_of_time = decide_apart(client, asked, seconds=0)
        assert (out_of_time.verdict, out_of_time.fact) == ("timeout", None)
