"""Tables say of each obligation how far it reaches: what supposes functions with some properties is conditional."""

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.report.paper.tables import make

CLAIM = Claim(
    "C1",
    "Title",
    "",
    (),
    "",
    "",
    (
        Obligation("C1.free", "free", Scope.UNIVERSAL, lambda: Evidence({})),
        Obligation("C1.given", "given", Scope.UNIVERSAL, lambda: Evidence({}), given="an exponential"),
        Obligation("C1.control", "control", Scope.INSTANCE, lambda: Evidence({}), Verdict.REFUTED),
    ),
)


def test_a_theorem_with_a_premise_about_functions_is_called_conditional():
    files = make([CLAIM], {}, {})
    scopes = {row.split(" & ")[0]: row.split(" & ")[2] for row in files["obligations.tex"].splitlines() if "C1." in row}
    assert scopes == {"C1.free": "universal", "C1.given": "conditional", "C1.control": "instance"}
    assert "universal, conditional" in files["claims.tex"]
    for name, count in (("universal", 1), ("conditional", 1), ("universal (classical)", 0)):
        assert rf"{{number}}{{obligations.{name}}}{{\ensuremath{{{count}}}}}" in files["numbers.tex"]
