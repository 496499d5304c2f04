"""What a paper cites is looked up before TeX runs:
names that do not exist, claims left out, proofs that cite other claims.
"""

from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.report.paper.citations import faults, left_out

PAPER = Path("paper.tex")


def _claim(name, rests_on=(), drops=None):
    control = Obligation(f"{name}.control", "", Scope.INSTANCE, lambda: Evidence({}), Verdict.REFUTED)
    return Claim(name, "", "", (), "", "", (control,), rests_on, drops)


CLAIMS = (_claim("C1"), _claim("C2", ("C1",)), _claim("N1", drops=("C2", "a premise")))
KNOWN = {("title", "C1"), ("title", "C2"), ("title", "N1"), ("number", "C1.a.drop"), ("experiment", "census")}
KNOWN |= {("measured", "census.nets"), ("plot", "census.idle")}
SOUND = r"""
\stated{C1} \begin{proofof}{C1} Plain. \end{proofof}
\stated{C2} \begin{proofof}{C2} By \claim{C1}: \numberof{C1.a.drop}. \end{proofof}
\stated{N1} \begin{proofof}{N1} As in \claim{C2}. \end{proofof}
\measured{census}{nets} \measured{scale}{slope} \seeplot{census}{idle} \plot{census}{idle} \plot{scale}{tax}
"""


def _faults(text):
    return list(faults({PAPER: text}, CLAIMS, KNOWN))


def test_a_paper_that_cites_what_there_is():
    assert _faults(SOUND) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (r"\claim{C9}", "paper.tex:7: there is no claim C9"),
        (r"\premises{C9}", "there is no claim C9"),
        (r"\leftopen{}", "there is no claim "),
        (r"\numberof{C1.a.rise}", "there is no number C1.a.rise"),
        (r"\decimalof{C1.a.drop}", "there is no decimal C1.a.drop"),
        (r"\netof{C1.a.net}", "there is no net C1.a.net"),
        (r"\measured{census}{slope}", "the experiment gives no number census.slope"),
        (r"\plot{census}{losses}", "the experiment gives no plot census.losses"),
        (r"\seeplot{census}{losses}", "the experiment gives no plot census.losses"),
        (r"\begin{proofof}{C9}\end{proofof}", "there is no claim C9"),
        (r"\begin{proofof}{C2} None. \end{proofof}", "the proof of C2 does not cite C1, on which it rests"),
        (
            r"\begin{proofof}{C1} By \claim{C2}. \end{proofof}",
            "the proof of C1 cites C2, on which it does not rest",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(text, fault):
    (line,) = _faults(SOUND + "\n" + text)
    assert line.startswith("paper.tex:7: ") and fault in line


def test_claims_that_are_left_out_are_found():
    assert left_out([SOUND], CLAIMS) == []
    assert left_out([r"\stated{C2}", r"\claim{N1}"], CLAIMS) == [CLAIMS[0], CLAIMS[2]]
    assert _faults(r"\stated{C1}") == ["C1 has no proof"]


def test_a_plot_that_is_not_shown_is_named():
    assert _faults(SOUND.replace(r"\plot{census}{idle}", "")) == ["the plot census.idle is not shown"]


def test_what_is_commented_out_is_not_cited():
    assert _faults(SOUND + "% \\claim{C9}\n50\\% of \\claim{C1}") == []
    assert left_out([SOUND.replace(r"\stated{C1}", r"% \stated{C1}")], CLAIMS) == [CLAIMS[0]]
