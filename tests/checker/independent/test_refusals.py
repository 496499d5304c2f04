"""Malformed certificates, scripts and solvers' answers: refused with a reason, and never another exception."""

import hashlib
import json
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.check import check_certificate, check_file
from proof_of_absence.checker.independent.facts import KINDS, check_fact
from proof_of_absence.checker.independent.refusal import Refused, require_equal
from proof_of_absence.checker.independent.sexpr import Script, parse
from proof_of_absence.checker.independent.solve import confirm_unsat
from proof_of_absence.checker.kernel.certificate import FORMAT, seal

TRUE = {"kind": "identity", "left": "x", "right": "x"}
BASE = {
    "format": FORMAT, "claim": "T", "obligation": "T.it", "statement": "", "scope": "instance", "expect": "PROVED",
    "verdict": "PROVED", "holds": True, "fact": TRUE, "runs": [], "versions": {}, "key": "",
}  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "1", "1/2", "-1", "x", "(+ x 1)"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["weights", "bias", "kind"]), inner)
    ),
    max_leaves=6,
)


@pytest.fixture
def refuse(tmp_path):
    """Assert that a text is refused as a certificate."""

    def check(text, match=None):
        path = tmp_path / "T.it.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
        with pytest.raises(Refused, match=match):
            check_file(path, solve=False)

    return check


def script_fact(script, folder, **more):
    """An smt fact about the script, written to the folder."""
    (folder / "T.it.smt2").write_text(script)
    sha256 = hashlib.sha256(script.encode()).hexdigest()
    return {
        "kind": "smt",
        "file": "T.it.smt2",
        "sha256": sha256,
        "deciding": "claim_holds",
        "answer": "sat",
        "witness": {},
    } | more


def test_the_base_is_accepted(tmp_path):
    path = tmp_path / "T.it.json"
    path.write_text(json.dumps(seal(BASE)))
    assert check_file(path) == seal(BASE)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '{"format": NaN}', "[" * 10**5, '{"a":' * 10**5, b"\xff\xfe", b"\0"]
)
def test_what_is_no_certificate(refuse, text):
    refuse(text)


@pytest.mark.parametrize("depth", [500, 800, 900, 950, 970, 980, 990, 1000])
def test_deep_nesting(refuse, depth):
    refuse(json.dumps(seal(BASE)).replace('"key": ""', '"key": ' + "[" * depth + "]" * depth))
    refuse(json.dumps(seal(BASE)).replace('"key": ""', '"key": ' + '{"a":' * depth + "1" + "}" * depth))


def test_deep_facts(tmp_path):
    fact = TRUE
    for _ in range(5000):
        fact = {"kind": "all", "facts": [fact]}
    with pytest.raises(Refused, match="RecursionError"):
        check_fact(fact)
    with pytest.raises(Refused, match="RecursionError"):
        check_fact(TRUE | {"left": "(- " * 5000 + "x" + ")" * 5000})
    loop = "(set-logic QF_LRA)(define-fun claim_holds () Bool claim_holds)(assert claim_holds)(check-sat)"
    with pytest.raises(Refused, match="RecursionError"):
        check_certificate(BASE | {"fact": script_fact(loop, tmp_path)}, tmp_path)


def test_what_a_solver_or_the_kernel_must_confirm_is_no_part_of_another_fact(refuse):
    # x = 0 is refuted by no solver, and nobody would ask one.
    script = "(set-logic QF_LRA)(declare-fun x () Real)(define-fun claim_fails () Bool (= x 0.0))(assert claim_fails)"
    unsat = {
        "kind": "smt",
        "script": script,
        "deciding": "claim_fails",
        "answer": "unsat",
        "premises_witness": {"x": "0"},
    }
    theorem = {"kind": "coq", "module": "small", "theorems": {"C0_truth": "True"}, "sources": [["small.v", "Theorem"]]}
    for part in (unsat, theorem):
        refuse(
            json.dumps(seal(BASE | {"fact": {"kind": "all", "facts": [TRUE, part]}})),
            "must be a certificate of its own",
        )


@pytest.mark.parametrize(
    ("scope", "match"), [("universal", "theorems alone are universal"), ("all", "no scope"), (["instance"], "no scope")]
)
def test_no_other_fact_is_universal(refuse, scope, match):
    refuse(json.dumps(seal(BASE | {"scope": scope})), match)


@pytest.mark.parametrize("unit", [[1, 0.5], [True, 0], [1, False], [1.0, 0], [1, 1], [1, -1], [2, 0], [0, 0]])
def test_what_is_no_hidden_unit_frees_no_bias(unit):
    before = [{"weights": [["1"]], "bias": ["0"]}, {"weights": [["0"]], "bias": ["1"]}]
    after = [before[0], before[1] | {"bias": ["0"]}]
    data = {"inputs": [["0"]], "targets": [["0"]]}
    fact = {"kind": "lower-loss", "before": before, "after": after, "data": data, "drop": "1"}
    check_fact(fact | {"circuit": [[1, 0]]})
    with pytest.raises(Refused, match="not a hidden unit"):
        check_fact(fact | {"circuit": [unit]})
    # Nor is it one beside the unit that Python takes it for.
    with pytest.raises(Refused, match="not a hidden unit"):
        check_fact(fact | {"circuit": [[1, 0], unit]})


def test_huge_integers(refuse):
    refuse('{"format": ' + "9" * 5000 + "}")


def test_lone_surrogates(refuse):
    refuse(json.dumps(seal(BASE)).replace('"key": ""', '"key": "\\ud800"'))


@pytest.mark.parametrize("field", [*BASE, "digest"])
def test_missing_fields(refuse, field):
    whole = seal(BASE)
    refuse(json.dumps({key: value for key, value in whole.items() if key != field}), "format|fields are missing")
    refuse(json.dumps(whole | {field: "other"}), "format|digest")
    refuse(json.dumps(seal(BASE | {"more": 1})), "fields are missing or unknown")


@pytest.mark.parametrize("kind", [None, "magic", 3, [], {}])
def test_unknown_kinds(refuse, kind):
    refuse(json.dumps(seal(BASE | {"fact": {"kind": kind}})), "no known kind of fact")


@pytest.mark.parametrize("fact", [None, [], "x", 3])
def test_no_fact(refuse, fact):
    refuse(json.dumps(seal(BASE | {"fact": fact})), "the fact is missing")


@pytest.mark.parametrize("holds", [None, "true", [], 2, 1])
def test_holds_is_a_truth_value(refuse, holds):
    refuse(json.dumps(seal(BASE | {"holds": holds})), "holds is a truth value")


FIELDS = [
    "after", "base", "before", "bias", "circuit", "coefficients", "combination", "data", "deploy", "drop", "facts",
    "fires", "inner_product", "input", "inputs", "layer", "left", "loss", "mixing", "model", "net", "noise_floor",
    "p_deploy", "p_train", "point", "prime", "residuals", "right", "rows", "total_variation", "train", "units",
    "weights", "answer", "bound", "deciding", "script", "witness", "premises_witness",
]  # fmt: skip


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
@settings(max_examples=300)
def test_facts_of_the_wrong_types_are_refused_and_nothing_else(kind, fields):
    try:
        check_fact({"kind": kind} | fields)
    except Refused:
        return
    assert kind in ("identity", "no-identity", "all")  # the only ones so simple that chance makes one


@given(st.text(alphabet="()x1/+-*; \n", max_size=30))
def test_any_text_as_a_script_or_polynomial(text):
    for use in (parse, Script, lambda t: check_fact(TRUE | {"left": t})):
        with suppress(Refused):
            use(text)


@pytest.mark.parametrize(
    "name", ["../T.it.smt2", "/etc/passwd", "a/b", "..", ".", "", "missing.smt2", "a" * 5000, None, 3, ["x"]]
)
def test_scripts_elsewhere(refuse, name):
    refuse(json.dumps(seal(BASE | {"fact": {"kind": "smt", "file": name}})), "script")


def test_a_script_with_an_impossible_name(refuse):
    refuse(json.dumps(seal(BASE | {"fact": {"kind": "smt", "file": "a\0b"}})), "script")


X = "(set-logic QF_LRA)(declare-fun x () Real)"
END = "(assert claim_holds)(check-sat)"


@pytest.mark.parametrize(
    ("script", "more", "match"),
    [
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"witness": {"x": "0"}}, "does not satisfy"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {}, "x has no value"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"witness": {"x": 1}}, "not an exact number"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"witness": {"x": True}}, "no such value"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"witness": {"x": "1", "y": "1"}}, "no such value"),
        (f"{X}(define-fun claim_holds () Bool (> (/ 1 x) 0)){END}", {"witness": {"x": "0"}}, "division by zero"),
        (f"{X}(define-fun claim_holds () Bool (> x 0))(check-sat)", {"witness": {"x": "1"}}, "does not assert"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"answer": "unknown"}, "decides nothing"),
        (f"{X}(define-fun claim_holds () Bool (> x 0)){END}", {"deciding": "x"}, "decides nothing"),
        (f"{X}{END}", {"witness": {"x": "1"}}, "does not assert"),
        (f"{X}(define-fun claim_holds () Real x){END}", {"witness": {"x": "1"}}, "not a truth value"),
        (f"{X}(define-fun claim_holds () Bool (exists x)){END}", {"witness": {"x": "1"}}, "not understood"),
        (f"{X}(declare-fun x () Real)(define-fun claim_holds () Bool true){END}", {}, "declared twice"),
        (f"{X}(declare-fun + () Real)(define-fun claim_holds () Bool true){END}", {}, "reserved"),
        (f"{X}(push)(define-fun claim_holds () Bool true){END}", {}, "command"),
        (f'{X}(set-info "x")', {}, "unexpected character"),
        (f"{X})", {}, "a bracket too many"),
        (f"{X}(define-fun claim_holds () Bool (and 1 2)){END}", {}, None),
        (f"{X}(define-fun claim_holds () Bool (= 1 true)){END}", {}, None),
        (f"{X}(define-fun claim_holds () Bool (= 1)){END}", {}, None),
        (
            f"{X}(declare-fun true () Bool)(define-fun claim_holds () Bool (not true)){END}",
            {"witness": {"true": False}},
            None,
        ),
        (
            f"{X}(define-fun d () Real x)(define-fun f ((x Real)) Real d)"
            f"(define-fun claim_holds () Bool (= (f 5) 5)){END}",
            {"witness": {"x": "1"}},
            "does not satisfy",
        ),
    ],
)
def test_scripts_that_show_nothing(tmp_path, script, more, match):
    with pytest.raises(Refused, match=match):
        check_certificate(BASE | {"fact": script_fact(script, tmp_path, **more)}, tmp_path, solve=False)


@pytest.mark.parametrize("number", ["1e5", "nan", "inf", "1/0", "", "x", "0x1", None, 1, 1.5, True, ["1"]])
def test_what_is_no_number(number):
    fact = {
        "kind": "separating-unit",
        "inputs": [["1"]],
        "residuals": ["1"],
        "weights": ["1"],
        "bias": "0",
        "inner_product": "1",
    }
    check_fact(fact)
    for field in ("bias", "inner_product"):
        with pytest.raises(Refused, match="is not an exact number"):
            check_fact(fact | {field: number})
    for field, value in (("weights", [number]), ("residuals", [number]), ("inputs", [[number]])):
        with pytest.raises(Refused, match="is not an exact number"):
            check_fact(fact | {field: value})


def test_unsat_is_confirmed_by_both_solvers(tmp_path, monkeypatch):
    unsat = f"{X}(assert (and (< x 0) (> x 0)))(check-sat)"
    confirm_unsat(unsat)
    for script, match in ((f"{X}(check-sat)", "z3 answers sat"), ("garbage", "z3 answers no answer")):
        with pytest.raises(Refused, match=match):
            confirm_unsat(script)
    with pytest.raises(Refused, match=r"z3 gave no answer in 0.001 s"):
        confirm_unsat(unsat, 0.001)
    (tmp_path / "cvc5.py").write_text("raise ImportError('gone')\n")
    monkeypatch.syspath_prepend(tmp_path)  # spawned processes get this path
    with pytest.raises(Refused, match=r"cvc5 answers no answer \(ImportError: gone\)"):
        confirm_unsat(unsat)


@pytest.mark.parametrize(
    ("stated", "recomputed", "words"),
    [
        (Fraction(1, 2), Fraction(3, 4), "it: stated 1/2, recomputed 3/4"),
        (None, Fraction(1), "it: stated None, recomputed 1"),
        ([1, 2, 3], [1, 5, 3], "it, entry 1: stated 2, recomputed 5"),
        ([1, 2], [1], "it: stated [1, 2], recomputed [1]"),
        ({"a": [0], "b": 1}, {"a": [9], "b": 1}, "it, a, entry 0: stated 0, recomputed 9"),
        (list(range(99)), [], "it: stated [0, 1, 2, 3, 4, 5, ..], recomputed []"),
        (
            Fraction(7) ** -9000,
            Fraction(7) ** 9000,
            "it: stated about 1.31111224e-7606, recomputed about 7.62711208e+7605",
        ),
        (Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**60), "it: stated 1/3, recomputed about 0.333333333"),
        (
            Fraction(10**60, 3 * 10**60 + 1),
            Fraction(10**60, 3 * 10**60 + 2),
            "it: stated about 0.333333333, recomputed about 0.333333333, about 1.11111111e-61 apart",
        ),
    ],
)
def test_a_reason_shows_both_values(stated, recomputed, words):
    require_equal("it", stated, stated)
    with pytest.raises(Refused) as refusal:
        require_equal("it", stated, recomputed)
    assert str(refusal.value) == words
