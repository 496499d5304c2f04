"""What a reader is shown of a Coq theorem: its words, and every variable and hypothesis of its sections."""

import pytest

from proof_of_absence.checker.kernel.obligation import KernelProof
from proof_of_absence.checker.report.statements import statements

SOURCE = """
(* A comment. Section Ghost. *)
Section Outer.
Variables (R : Type) (x : R).
Lemma aside : x = x.
Proof. by []. Qed.
Section Inner.
Hypothesis same : forall y : R,
  y = x.
Let p i := i.+1.
Theorem C1_inner y : y = x.
Proof. exact: same. Qed.
End Inner.
Variable later : R.
Theorem C1_outer : x = x.
Proof. by []. Qed.
End Outer.
Theorem C1_closed : True.
Proof. by []. Qed.
"""


def proof(tmp_path, *theorems, text=SOURCE):
    (tmp_path / "_CoqProject").write_text("-Q . absence\nm.v\n")
    (tmp_path / "m.v").write_text(text)
    return KernelProof(tmp_path, "m", theorems)


def test_context_is_that_of_the_open_sections(tmp_path):
    inner, outer, closed = statements(proof(tmp_path, "C1_inner", "C1_outer", "C1_closed"))
    assert inner.context == (
        "Variables (R : Type) (x : R).",
        "Hypothesis same : forall y : R,\n  y = x.",
        "Let p i := i.+1.",
    )
    assert outer.context == ("Variables (R : Type) (x : R).", "Variable later : R.")
    assert closed.context == ()
    assert inner.theorem == "Theorem C1_inner y : y = x."
    assert inner.file == "m.v"


def test_a_theorem_that_does_not_stand_there(tmp_path):
    with pytest.raises(LookupError, match=r"m\.v states no Theorem C1_missing"):
        statements(proof(tmp_path, "C1_missing"))


def test_the_hypotheses_of_a_real_claim_are_shown():
    from proof_of_absence.proofs.universal import FOLDER

    (rent,) = statements(KernelProof(FOLDER, "c13_rent", ("C13_rent",)))
    assert "Hypothesis min_theta : minimiser z y theta." in rent.context
    assert "Let without := hardcode theta J v." in rent.context
