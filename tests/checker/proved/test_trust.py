"""What must be believed: by definition, fact by fact, on certificates and opinions of every form."""

from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.proved.opinion import Answer, Opinion
from proof_of_absence.checker.proved.trust import Trust, believed, each, table, whole

LEAVES = st.sampled_from(["idle", "ridge", "lower-loss", "identity"]).map(lambda kind: {"kind": kind})


def several(parts):
    relations = st.lists(st.just([[["1"]], "<", [["2"]]]), min_size=1, max_size=2)
    facts = {"kind": st.just("all"), "facts": st.lists(parts, min_size=1, max_size=3)}
    return st.fixed_dictionaries(facts, optional={"compared": relations})


FACTS = st.recursive(LEAVES, several, max_leaves=6)
SMT = st.sampled_from(["sat", "unsat"]).map(lambda answer: {"kind": "smt", "answer": answer})
COQ = st.just({"kind": "coq"})


def certificate(fact):
    solvers = ["coq"] if fact["kind"] == "coq" else ["z3", "cvc5"] if fact["kind"] == "smt" else []
    return {"fact": fact, "runs": [{"solver": solver, "version": "1"} for solver in solvers]}


def lines(fact):
    """The kinds that the program names, as absence_check.ml does."""
    if fact["kind"] != "all":
        yield fact["kind"]
        return
    for part in fact["facts"]:
        yield from lines(part)
    yield from ["compared" for _ in fact.get("compared", [])]


by_kernel = {Answer.ACCEPTED: Answer.KERNEL}


@given(fact=st.one_of(FACTS, SMT, COQ), data=st.data())
def test_a_verdict_rests_on_the_proved_checker_only_if_it_accepts_every_part(fact, data):
    kinds = list(lines(fact))
    decided = fact["kind"] != "coq"
    answer = st.sampled_from([Answer.ACCEPTED, Answer.LEFT, Answer.REFUSED] if decided else [Answer.LEFT])
    answers = data.draw(st.lists(answer, min_size=len(kinds), max_size=len(kinds)))
    opinion = Opinion(tuple(zip(kinds, answers, strict=True)))
    found = each(certificate(fact), opinion)
    assert [trust is Trust.PROVED for trust in found] == [answer is Answer.ACCEPTED for answer in answers]
    assert (whole(certificate(fact), opinion) is Trust.PROVED) == opinion.whole
    # Computed again by the kernel, the same answers ask less.
    again = Opinion(tuple((kind, by_kernel.get(answer, answer)) for kind, answer in opinion.facts))
    assert [trust is Trust.KERNEL for trust in each(certificate(fact), again)] == [
        answer is Answer.ACCEPTED or fact["kind"] == "coq" for answer in answers
    ]
    assert again.whole == opinion.whole
    rests = {"coq": Trust.KERNEL, "unsat": Trust.SOLVERS}.get(fact.get("answer", fact["kind"]), Trust.PYTHON)
    assert {*found} <= {Trust.PROVED, rests}
    assert whole(certificate(fact)) is rests and each(certificate(fact)) == [rests] * len(kinds)


@given(fact=FACTS, more=st.lists(st.just(("idle", Answer.ACCEPTED)), max_size=4))
def test_an_opinion_of_something_else_counts_for_nothing(fact, more):
    opinion = Opinion(tuple(more))
    if [kind for kind, _ in more] != list(lines(fact)):
        assert Trust.PROVED not in each(certificate(fact), opinion)
    assert Trust.PROVED not in each(certificate(fact), Opinion((), "no value at byte 0"))


@given(facts=st.lists(st.one_of(FACTS, SMT, COQ), max_size=5))
def test_every_fact_and_every_obligation_is_counted_once(facts):
    certificates = {f"C1.{i}": certificate(fact) for i, fact in enumerate(facts)}
    rows = table(certificates, {})
    count = sum(len(list(lines(fact))) for fact in facts)
    assert sum(row.facts for row in rows) == sum(row.facts_before for row in rows) == count
    assert sum(row.obligations for row in rows) == sum(row.obligations_before for row in rows) == len(facts)
    assert [row.trust for row in rows] == list(Trust)


def test_solvers_are_named_with_their_versions_where_they_alone_say_so():
    for answer, named in (("unsat", True), ("sat", False)):
        told = believed(certificate({"kind": "smt", "answer": answer}))
        assert ({"z3 1", "cvc5 1"} <= told) == named and any("encoding" in what for what in told)
    told = believed(certificate({"kind": "idle"}), Opinion((("idle", Answer.ACCEPTED),)))
    assert not any("independent" in what for what in told)
