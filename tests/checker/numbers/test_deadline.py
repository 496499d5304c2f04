"""A deadline stops what looks at it, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, afford, in_force, left, look, looking, within


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_look_stops_exactly_when_the_time_is_over(seconds, now):
    clock = Clock()
    with within(Deadline(seconds, clock)):
        clock.now = now
        assert left() == max(0.0, seconds - now)
        if now < seconds:
            look()
        else:
            with pytest.raises(OutOfTime, match=r"^out of time$"):
                look()


def test_without_a_deadline_nothing_stops():
    assert left() == Deadline(None).left() == float("inf")
    look()
    afford(1e300)
    assert list(looking(range(3))) == [0, 1, 2]


def test_the_deadline_before_is_in_force_again_afterwards():
    outer, inner = Deadline(10), Deadline(0)
    with within(outer):
        with pytest.raises(OutOfTime), within(inner):
            look()
        assert in_force() is outer
        look()


@given(st.floats(0, 100), st.floats(0, 100))
def test_the_sooner_of_two(first, second):
    clock = Clock()
    assert Deadline(first, clock).sooner(second).left() == min(first, second)
    assert Deadline(None, clock).sooner(second).left() == second
    assert Deadline(first, clock).sooner(float("inf")).left() == first


def test_a_step_that_takes_more_than_is_left_is_not_begun():
    with within(Deadline(10, Clock())):
        afford(9)
        with pytest.raises(OutOfTime, match="the next step alone takes"):
            afford(100)


def test_on_a_machine_that_is_shared_a_step_takes_longer():
    clock, effort = Clock(), Clock()
    deadline = Deadline(20, clock, effort=effort)
    assert deadline.pace() == 1
    clock.now, effort.now = 6.0, 2.0
    assert deadline.pace() == deadline.sooner(5).pace() == 3
    assert deadline.unpaced().pace() == 1 and deadline.unpaced().left() == deadline.left() == 14
    with within(deadline):
        afford(4)
        with pytest.raises(OutOfTime, match="the next step alone takes"):
            afford(5)


@given(st.floats(0, 0.09), st.floats(0, 1e6))
def test_little_work_tells_no_pace(own, passed):
    clock, effort = Clock(), Clock()
    deadline = Deadline(None, clock, effort=effort)
    clock.now, effort.now = passed, own
    assert deadline.pace() == 1


def test_a_pace_is_never_below_1():
    """Several cores may be at work for one thread."""
    clock, effort = Clock(), Clock()
    deadline = Deadline(None, clock, effort=effort)
    clock.now, effort.now = 1.0, 2.0
    assert deadline.pace() == 1


def test_items_come_until_the_time_is_over():
    clock, seen = Clock(), []
    with within(Deadline(3, clock)), pytest.raises(OutOfTime):
        for item in looking(range(10)):
            seen.append(item)
            clock.now += 1
    assert seen == [0, 1, 2]


def test_what_is_owed_is_taken_off_what_is_left():
    deadline = Deadline(10, Clock(), each=0.5)
    deadline.owe(4)
    assert deadline.left() == 8 and deadline.sooner(100).left() == 8
    deadline.sooner(5).owe(2)
    assert deadline.left() == 8
