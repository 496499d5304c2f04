"""Worlds that the tests of the sweep share."""

from hypothesis import strategies as st

from proof_of_absence.models.world import Human, World

HOURS = st.permutations(range(8)).flatmap(
    lambda order: st.tuples(st.just(tuple(order)), st.integers(2, 5), st.integers(1, 4))
)


@st.composite
def worlds(draw):
    """Small worlds of any hours, humans, weights and mixing rate."""
    order, length, diversity = draw(HOURS)
    order = order[:length]
    lapses = draw(st.lists(st.frozensets(st.sampled_from(order), max_size=3), min_size=1, max_size=3))
    tampering = draw(st.tuples(*[st.integers(0, 2)] * 3).filter(any))
    return World.nested(
        order,
        min(diversity, length - 1),
        humans=tuple(map(Human, lapses)),
        tampering=tampering,
        mixing=draw(st.fractions(0, 1, max_denominator=4)),
    )
