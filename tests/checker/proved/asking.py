"""What both checkers say of a fact, and true facts with a few numbers changed, for the tests of the proved checkers."""

import json
from fractions import Fraction

from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.proved.opinion import Answer, opinions


@st.composite
def changed(draw, true):
    """A true fact with at most two numbers changed, most often to what is false, or written as no number is."""
    fact = json.loads(json.dumps(draw(st.sampled_from(true))))
    places = list(places_of(fact))
    for place in draw(st.lists(st.sampled_from(places), max_size=2)):
        *way, last = place
        node = fact
        for key in way:
            node = node[key]
        if isinstance(node[last], int):
            node[last] = draw(st.integers(-1, 3))
        else:
            step = draw(st.sampled_from(["-1/100", "1/100", "1", "-1", None]))
            # Or a number that is no text.
            node[last] = round(Fraction(node[last])) if step is None else str(Fraction(node[last]) + Fraction(step))
    return fact


def places_of(node, way=()):
    """Where the numbers of a fact stand."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key != "kind":
                yield from places_of(value, (*way, key))
    else:
        yield way


def oracle(fact):
    """What the independent checker says of it."""
    try:
        check_fact(fact)
    except Refused:
        return Answer.REFUSED
    return Answer.ACCEPTED


def told(tmp_path, texts):
    """What the program says of certificates with these texts."""
    paths = [tmp_path / f"{i}.json" for i in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    found = opinions(paths)
    return [found[path] for path in paths]


def agree(tmp_path, made, expected=oracle):
    """The program answers each of these facts as it must: as the independent checker does, unless told otherwise."""
    found = told(tmp_path, [json.dumps({"fact": fact}) for fact in made])
    for fact, opinion in zip(made, found, strict=True):
        ((kind, answer),) = opinion.facts
        assert kind == fact["kind"] and answer is expected(fact), fact
