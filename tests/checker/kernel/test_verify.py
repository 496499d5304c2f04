"""The order in which things are decided side by side: nothing waits for Coq's files but theorems."""

from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.kernel.obligation import Scope
from proof_of_absence.checker.kernel.verify import queue


@given(st.lists(st.sampled_from([*Scope, None])))
def test_one_theorem_comes_first_and_the_others_last(scopes):
    order = queue(range(len(scopes)), lambda thing: scopes[thing])
    assert sorted(order) == list(range(len(scopes)))
    theorems = [i for kind in (Scope.UNIVERSAL, Scope.CLASSICAL) for i, scope in enumerate(scopes) if scope is kind]
    others = [thing for thing in range(len(scopes)) if thing not in theorems]
    assert order[: len(theorems[:1])] == theorems[:1]
    last = order[len(order) - len(theorems[1:]) :]
    assert sorted(last) == sorted(theorems[1:])
    assert last == sorted(last, key=lambda thing: (scopes[thing] is Scope.UNIVERSAL, thing))
    assert [thing for thing in order if thing in others] == others
