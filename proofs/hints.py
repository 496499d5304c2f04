"""What the proof on paper says first, for queries where a search would not find it: formulas to split by, in order."""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["HINTS", "Hint"]


class Hint(NamedTuple):
    """A formula of a query, or two values of a function (`node`).

    A lemma follows from the query, so the search refutes its opposite without later hints. Where `why` has hints, the
    opposite goes on with these.
    """

    formula: str
    lemma: bool = True
    node: str = "whether"
    why: tuple["Hint", ...] = ()


def _cases(*formulas: str) -> tuple[Hint, ...]:
    return tuple(Hint(formula, lemma=False) for formula in formulas)


def _lemmas(*formulas: str) -> tuple[Hint, ...]:
    return tuple(Hint(formula) for formula in formulas)


def _more(i: int) -> str:
    """The larger one of what input i has in training and in deployment."""
    return f"(* (/ 1 2) (+ train_{i} dep_{i} (ite (<= train_{i} dep_{i}) (- dep_{i} train_{i}) (- train_{i} dep_{i}))))"


def _variation(i: int) -> str:
    return f"(<= (+ (ite in_{i} dep_{i} 0) train_{i}) (+ (ite in_{i} train_{i} 0) {_more(i)}))"


def _rule(i: int) -> str:
    return f"(<= (+ (ite says_deployment_{i} dep_{i} 0) (ite (not says_deployment_{i}) train_{i} 0)) {_more(i)})"


def _best_rule(i: int) -> str:
    less = f"(< train_{i} dep_{i})"
    return f"(= (+ (ite {less} dep_{i} 0) (ite (not {less}) train_{i} 0)) {_more(i)})"


def _within_norm(weights: str, steps: int) -> tuple[Hint, ...]:
    """The unit has weights, so it spends of the norm; each direction that this could pay for is no descent."""
    return _lemmas("(< 0 (* pw2_0_0 pw2_0_0))", weights, "(< 0 spent)", *(f"(= best{k} 0)" for k in range(steps)))


def _outputs(net: str) -> str:
    return " ".join(f"{net}{i}_2_{k}" for i in range(3) for k in range(2))


def _crossed(i: int, j: int) -> str:
    """1 if the unit has both signs in a box of the grid, else 0; as the query says it."""
    corners = [f"p{a}_{b}" for a in (i, i + 1) for b in (j, j + 1)]
    below, above = (" ".join(f"({pair})" for pair in pairs) for pairs in _sides(corners))
    return f"(ite (and (or {below}) (or {above})) 1 0)"


def _sum(parts: list[str]) -> str:
    return f"(+ {' '.join(parts)})"


def _sides(corners: list[str]) -> tuple[list[str], list[str]]:
    return [f"< {corner} 0" for corner in corners], [f"< 0 {corner}" for corner in corners]


def _diagonals(size: int, *, up: bool) -> Iterator[str]:
    """Of the boxes on a diagonal of the grid a unit crosses one at most; all diagonals that go up, or that go down."""
    for shift in range(1 - size, size):
        boxes = [(i, i - shift) for i in range(size) if 0 <= i - shift < size]
        way = boxes if up else [(i, size - 1 - j) for i, j in boxes]
        yield f"(<= (+ 0 {' '.join(_crossed(*box) for box in way)}) 1)"


_UP, _DOWN = (_lemmas(*_diagonals(3, up=up)) for up in (True, False))


_BETWEEN = "(+ (* (* l_1 3) w_0) (* (* l_2 3) w_1) b)"

HINTS: dict[str, tuple[Hint, ...]] = {
    "C2.loss": (Hint(f"(loss {_outputs('f')}) (loss {_outputs('g')})", node="values"),),
    "C1.variation": _lemmas(*map(_variation, range(5))),
    "C1.bayes": _lemmas(*map(_rule, range(5)), *map(_best_rule, range(5))),
    "C2.backdoor": _lemmas("(or (<= z_4 (+ 3 (* 24 z_5))) (<= (+ 5 (* 24 z_5)) z_4))"),
    "C2.deployment": _lemmas("(<= z_4 (+ 8 (* 24 z_5)))", "(<= (+ z_4 (* 24 z_5)) 32)"),
    "C14.five-nets": _lemmas("(<= weight_2 weight_tau)", "(<= weight_3 weight_tau)", "(<= weight_0 weight_1)"),
    "C17.step": _lemmas("(< 0 q)", "(< 0 e)"),
    "C22.ordered": _lemmas("(and (< (- error_2 error_0) (- error_1 error_0)) (< (- far3_2_0 base) t))"),
    "C23.boxes": (
        Hint("(<= 0 w_0)", lemma=False, why=(Hint("(<= 0 w_1)", lemma=False, why=_UP), *_DOWN)),
        Hint("(<= 0 w_1)", lemma=False, why=_DOWN),
        *_UP,
    ),
    "C23.triangle": _cases(
        "(and (<= 0 p0) (<= 0 p1) (<= 0 p2))",
        "(and (<= p0 0) (<= p1 0) (<= p2 0))",
        f"(< 0 {_BETWEEN})",
        f"(< {_BETWEEN} 0)",
    ),
    "C24.sample": _lemmas("(<= (ite (<= a dep_1) train_0 0) missed)", "(<= (ite (<= a dep_0) train_1 0) missed)"),
    "C25.lipschitz": _cases("(<= 0 pw2_0_0)"),
    "C25.one-unit": _within_norm("(distinct pw1_0_0 0)", 4),
    "C25.plane": _within_norm("(or (distinct pw1_0_0 0) (distinct pw1_0_1 0))", 3),
    "C25.two-units": _within_norm("(distinct pw1_0_0 0)", 3),
    "C26.four-nets": _lemmas(
        "(<= weight_2 weight_high)",
        "(<= weight_3 weight_high)",
        "(<= weight_middle weight_0)",
        "(<= weight_middle weight_1)",
    ),
}
