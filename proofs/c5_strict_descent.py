"""C5 strict descent. A unit with inner product s with the residuals lowers the summed squared loss by exactly
s^2/<phi,phi>, at output weight s/<phi,phi>.
"""

import sympy

from proof_of_absence.checker.construct.reassignment import widening
from proof_of_absence.checker.encode.polynomials import identity
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, distinct, dot, eq, le, mul, square, sub
from proof_of_absence.models.policies import IMITATOR, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.examples import CONSTANT_NET, TWO_OUTPUTS
from proof_of_absence.proofs.universal import universal

LARGEST = 6
N_SMT = 3
# The control's step, in steps of the claim.
TOO_FAR = 2


def _vectors(count: int) -> tuple[list, list]:
    return [[sympy.Symbol(f"{name}{i}") for i in range(count)] for name in ("r", "phi")]


def _identities(build) -> Evidence:
    parts = [build(*_vectors(count)) for count in range(1, LARGEST + 1)]
    return Evidence(facts.every(*(part.fact for part in parts)), holds=all(part.holds for part in parts))


def _inner(left: list, right: list) -> sympy.Expr:
    return sympy.Add(*(a * b for a, b in zip(left, right, strict=True)))


def _drop(r: list, phi: list) -> Evidence:
    """<phi,phi>^2 |r - (s/<phi,phi>) phi|^2 = <phi,phi> (<phi,phi> |r|^2 - s^2)."""
    s, p = _inner(r, phi), _inner(phi, phi)
    left = sympy.Add(*((p * a - s * b) ** 2 for a, b in zip(r, phi, strict=True)))
    return identity(left, p * (p * _inner(r, r) - s**2))


def _optimal(r: list, phi: list) -> Evidence:
    """<phi,phi> |r - a phi|^2 = (a <phi,phi> - s)^2 + <phi,phi> |r|^2 - s^2 for every a."""
    a = sympy.Symbol("a")
    s, p = _inner(r, phi), _inner(phi, phi)
    left = p * sympy.Add(*((x - a * y) ** 2 for x, y in zip(r, phi, strict=True)))
    return identity(left, (a * p - s) ** 2 + p * _inner(r, r) - s**2)


def _descent(step: int) -> Query:
    """For all residuals and features, the output weight step * s/<phi,phi> lowers the squared loss."""
    script = Script("QF_NRA", f"The step {step} s/<phi,phi> at N={N_SMT}")
    r, phi = script.reals("r", N_SMT), script.reals("phi", N_SMT)
    s = script.define("s", dot(r, phi))
    norm = script.define("norm", dot(phi, phi))
    script.premise(distinct(s, 0))
    a = script.real("a")
    script.premise(eq(mul(a, norm), mul(step, s)))
    after = add(*(square(sub(x, mul(a, y))) for x, y in zip(r, phi, strict=True)))
    script.decide("claim_fails", le(dot(r, r), after))
    return Query(script)


def _positive_norm() -> Query:
    """s != 0 makes <phi,phi> positive, so the step is defined."""
    script = Script("QF_NRA", "A feature with a nonzero inner product has a positive norm")
    r, phi = script.reals("r", N_SMT), script.reals("phi", N_SMT)
    script.premise(distinct(dot(r, phi), 0))
    script.decide("claim_fails", le(dot(phi, phi), 0))
    return Query(script)


def _added_unit(net, data) -> Evidence:
    result = widening(net, data)
    return Evidence(facts.lower_loss(net, result.net, data, result.drop, wider=True))


CLAIM = Claim(
    id="C5",
    title="Strict descent",
    statement=r"Let $s=\langle r,\varphi\rangle\neq0$, a vector if there are several outputs. One more unit $\varphi$ "
    r"with the output weight $a=s/\langle\varphi,\varphi\rangle$ lowers the summed squared loss by exactly "
    r"$|s|^2/\langle\varphi,\varphi\rangle>0$, and no output weight of it lowers it more.",
    premises=("the unit's inner product s with the residuals is not zero",),
    proof=r"$\langle\varphi,\varphi\rangle>0$ since $s\neq0$. Complete the square: "
    r"$|r-a\varphi|^2=|r|^2-\frac{s^2}{\langle\varphi,\varphi\rangle}"
    r"+\langle\varphi,\varphi\rangle\bigl(a-\frac{s}{\langle\varphi,\varphi\rangle}\bigr)^2$. "
    r"With several outputs, apply this to each.",
    limits="Universal for squared loss.",
    obligations=(
        universal(
            "For all d, n, m, N, where s is not 0: the output weight s/<phi,phi>, also that of one more unit of a net, "
            "lowers the summed squared loss by exactly |s|^2/<phi,phi>, and none by more",
            "c5_exact_descent",
            "C5_exact_descent",
            "C5_best_weight",
            "C5_strict_descent",
            "C5_add_unit",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts about losses, noise floors "
            "and how they compare holds of the net and data that the lists stand for",
            "check_losses",
            "C5_check_loss",
            "C5_check_floor",
            "C5_check_above",
            "C5_check_lower",
            "C5_check_less",
            "C5_check_at_most",
            "C5_check_equal",
            name="universal-checker",
        ),
        universal(
            "A checker of audits, in integers over one scale a layer: if it accepts two bounds, the loss of a net of "
            "any depth on the rows of data lies between them",
            "check_audit_losses",
            "C5_check_error",
            name="universal-checker-audits",
        ),
        universal(
            "A checker of audits visits the rows in the order of their inputs: if it accepts two bounds, the noise "
            "floor of the data lies between them",
            "check_noise_floor",
            "C5_check_noise",
            name="universal-checker-noise",
        ),
        Obligation(
            "C5.drop",
            "The drop is exactly s^2/<phi,phi>: an identity of polynomials once denominators are cleared, N = "
            f"1..{LARGEST}",
            Scope.BOUNDED,
            lambda: _identities(_drop),
        ),
        Obligation(
            "C5.optimal",
            f"No output weight lowers the loss more: completing the square, N = 1..{LARGEST}",
            Scope.BOUNDED,
            lambda: _identities(_optimal),
        ),
        Obligation(
            "C5.norm", f"The step is defined wherever s is not zero, N = {N_SMT}", Scope.BOUNDED, _positive_norm
        ),
        Obligation(
            "C5.descent",
            f"Wherever s is not zero the step lowers the loss, N = {N_SMT}",
            Scope.BOUNDED,
            lambda: _descent(1),
        ),
        Obligation(
            "C5.world",
            "The predicted drop is the drop measured when a unit is added to the imitator on the world's training data",
            Scope.INSTANCE,
            lambda: _added_unit(IMITATOR, WORLD.dataset()),
        ),
        Obligation(
            "C5.two-outputs",
            "The same with two outputs and a repeated input",
            Scope.INSTANCE,
            lambda: _added_unit(CONSTANT_NET, TWO_OUTPUTS),
        ),
        Obligation(
            "C5.control",
            f"{TOO_FAR} times the step lowers the loss too, N = {N_SMT}",
            Scope.BOUNDED,
            lambda: _descent(TOO_FAR),
            Verdict.REFUTED,
        ),
    ),
)
