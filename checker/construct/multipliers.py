"""Why polynomials cannot have the signs they are said to have: products and squares that add up to 0 and are above 0.

z3's exact simplex finds the factors, as for Farkas' lemma. Nothing found here is trusted: it is certified elsewhere.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import z3

from proof_of_absence.checker.independent.sexpr import Polynomial, plus, scaled, times
from proof_of_absence.checker.independent.values.branch import Hypothesis

__all__ = ["LEVELS", "contradiction", "factors", "zeros"]

Monomial = tuple[tuple[str, int], ...]
ONE: Polynomial = {(): Fraction(1)}
# 1: sums, as in Farkas' lemma. 2: products of two. 3: of three, and squares of differences of products.
LEVELS = (1, 2, 3)
# Points at most that quadratic forms are tried at.
POINTS = 60
# Columns and squares of a linear program at most, and milliseconds for it.
MOST, SQUARES, MILLISECONDS = 4000, 400, 10000


@dataclass(frozen=True)
class Term:
    """`times` the hypotheses at the places `of`, a monomial and the square of a polynomial."""

    times: Fraction
    of: tuple[int, ...] = ()
    by: Monomial = ()
    square: Polynomial | None = None

    def value(self, hypotheses: Sequence[Hypothesis]) -> Polynomial:
        """The polynomial that it is."""
        result: Polynomial = {self.by: self.times}
        for factor in [hypotheses[i].polynomial for i in self.of] + ([self.square] * 2 if self.square else []):
            result = times(result, factor)
        return result

    def written(self) -> dict[str, Any]:
        """As the certificate has it."""
        told: dict[str, Any] = {"times": str(self.times), "of": list(self.of)}
        if self.by:
            told["by"] = [list(power) for power in self.by]
        if self.square:
            told["square"] = [[str(c), [list(power) for power in monomial]] for monomial, c in self.square.items()]
        return told


def contradiction(hypotheses: Sequence[Hypothesis], levels: Iterable[int] = LEVELS) -> list[dict[str, Any]] | None:
    """Terms that add up to 0, one above 0 and none below, if some of these levels hold such."""
    rest = _Rest(hypotheses)
    found = _single(rest)
    for level in levels:
        found = found or _combined(rest, level) or (_weighted(rest) if level > 1 else None)
    return None if found is None else [term.written() for term in rest.lifted(found)]


def zeros(hypotheses: Sequence[Hypothesis]) -> Iterator[Polynomial]:
    """Polynomials that must be 0: the roots of minus a sum of squares that is at least 0, and what has both signs."""
    rest = _Rest(hypotheses)
    signs = [polynomial for _, strict, polynomial in rest.signs if polynomial and not strict]
    known = [equation.polynomial for equation in rest.left]
    for polynomial in signs:
        yield from (root for _, root in _squares(polynomial) or () if root not in known)
        if scaled(polynomial, -1) in signs and polynomial not in known and scaled(polynomial, -1) not in known:
            yield polynomial


def factors(hypotheses: Sequence[Hypothesis]) -> Iterator[Polynomial]:
    """Variables whose signs it helps to know, since they stand in products."""
    rest = _Rest(hypotheses)
    known = {name for h in hypotheses if len(h.polynomial) == 1 for m in h.polynomial for name, _ in m if len(m) == 1}
    left = [*(p for *_, p in rest.signs), *(equation.polynomial for equation in rest.left)]
    names = {name for p in left for m in p if sum(k for _, k in m) > 1 for name, _ in m}
    for name in sorted(names - known):
        yield {((name, 1),): Fraction(1)}


@dataclass
class _Equation:
    """A polynomial that is 0, and what the hypotheses are multiplied by to give it."""

    polynomial: Polynomial
    of: dict[int, Polynomial]

    def terms(self, by: Polynomial) -> Iterator[Term]:
        """The product with a polynomial, as terms."""
        for place, factor in self.of.items():
            yield from (Term(c, (place,), monomial) for monomial, c in times(factor, by).items())


@dataclass
class _Rest:
    """Hypotheses after the variables that equations give have been put in; `left` are the other equations."""

    hypotheses: Sequence[Hypothesis]
    solved: list[tuple[str, _Equation]] = field(default_factory=list)
    left: list[_Equation] = field(default_factory=list)
    signs: list[tuple[int, bool, Polynomial]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for h in self.hypotheses:
            self.met.update({name for monomial in h.polynomial for name, _ in monomial})
        waiting = [_Equation(h.polynomial, {i: ONE}) for i, h in enumerate(self.hypotheses) if h.relation == "="]
        # What was put in later may make another equation linear.
        for _ in range(2):
            self.left = []
            for equation in waiting:
                self._take(self.reduced(equation))
            waiting = self.left
        for i, h in enumerate(self.hypotheses):
            if h.relation != "=":
                self.signs.append((i, h.relation == ">", self.reduced(_Equation(h.polynomial, {})).polynomial))

    def _take(self, equation: _Equation) -> None:
        polynomial = equation.polynomial
        linear = [monomial[0][0] for monomial in polynomial if len(monomial) == 1 and monomial[0][1] == 1]
        once = [name for name in linear if sum(name in dict(monomial) for monomial in polynomial) == 1]
        if once:
            # What stands in few hypotheses, so that the others stay as they are.
            self.solved.append((min(once, key=lambda name: (self.met[name], name)), equation))
        elif polynomial:
            self.left.append(equation)

    def reduced(self, equation: _Equation) -> _Equation:
        """The same modulo what is solved."""
        polynomial, of = equation.polynomial, dict(equation.of)
        while hit := self._hit(polynomial):
            monomial, name, solved = hit
            lower = tuple((n, k - (n == name)) for n, k in monomial if k > (n == name))
            factor = {lower: -polynomial[monomial] / solved.polynomial[((name, 1),)]}
            polynomial = plus(polynomial, times(factor, solved.polynomial))
            for place, other in solved.of.items():
                of[place] = plus(of.get(place, {}), times(factor, other))
        return _Equation(polynomial, of)

    def _hit(self, polynomial: Polynomial) -> tuple[Monomial, str, _Equation] | None:
        for name, equation in self.solved:
            for monomial in polynomial:
                if name in dict(monomial):
                    return monomial, name, equation
        return None

    def lifted(self, terms: list[Term]) -> list[Term]:
        """The terms with those of the solved equations, so that they add up to 0 and not only modulo these."""
        total = plus(*(term.value(self.hypotheses) for term in terms))
        return [*terms, *_Equation({}, self.reduced(_Equation(total, {})).of).terms(ONE)]


def _single(rest: _Rest) -> list[Term] | None:
    """One hypothesis that is false by itself: an equation of numbers, or what is above 0 and minus a sum of squares."""
    for equation in rest.left:
        if set(equation.polynomial) == {()}:
            value = equation.polynomial[()]
            return [Term(abs(value)), *equation.terms({(): Fraction(-1 if value > 0 else 1)})]
    for i, strict, polynomial in rest.signs:
        below = Fraction(0) if strict else -polynomial.get((), Fraction(0))
        squares: list[tuple[Fraction, Polynomial]] | None
        if strict or below > 0:
            squares = _squares(plus(polynomial, {(): below}))
            if squares is not None:
                more = [] if strict else [Term(below)]
                return [Term(Fraction(1), (i,)), *more, *(Term(c, square=root) for c, root in squares)]
        elif polynomial and (squares := _squares(polynomial)) and (strictly := _strictly(rest, squares)):
            return [Term(Fraction(1), (i,)), *strictly]
    return None


def _strictly(rest: _Rest, squares: list[tuple[Fraction, Polynomial]]) -> list[Term] | None:
    """The squares as terms, if the root of one is above 0, or below it, by a hypothesis."""
    for place, (c, root) in enumerate(squares):
        for i, strict, polynomial in rest.signs:
            if not strict or set(polynomial) != set(root):
                continue
            first = next(iter(root))
            ratio = polynomial[first] / root[first]
            if all(polynomial[monomial] == ratio * root[monomial] for monomial in root):
                others = (Term(d, square=other) for d, other in [*squares[:place], *squares[place + 1 :]])
                return [Term(c / ratio**2, (i, i)), *others]
    return None


def _squares(polynomial: Polynomial) -> list[tuple[Fraction, Polynomial]] | None:
    """Squares with factors that add up to minus the polynomial, by Lagrange's method; None if that finds none."""
    roots = sorted(tuple((n, k // 2) for n, k in m) for m in polynomial if all(k % 2 == 0 for _, k in m))
    pairs = {_product(a, b): (a, b) for a, b in itertools.combinations(roots, 2)}
    pairs |= {_product(a, a): (a, a) for a in roots}
    if not set(polynomial) <= set(pairs):
        return None
    form: dict[tuple[Monomial, Monomial], Fraction] = {}
    for monomial, c in polynomial.items():
        a, b = pairs[monomial]
        form[a, b] = form[b, a] = -c if a == b else -c / 2
    found = []
    while roots:
        first, *roots = roots
        pivot = form.get((first, first), Fraction(0))
        row = {b: form[first, b] for b in roots if form.get((first, b))}
        if pivot < 0 or (pivot == 0 and row):
            return None
        if pivot:
            found.append((pivot, {first: Fraction(1)} | {b: c / pivot for b, c in row.items()}))
            for a, b in itertools.product(row, row):
                form[a, b] = form.get((a, b), Fraction(0)) - row[a] * row[b] / pivot
    return found


def _weighted(rest: _Rest) -> list[Term] | None:
    """Quadratic forms above 0, with weights under which minus their sum is a sum of squares.

    The weights solve the inequalities of some points, with room to spare; a point where the sum is above 0 is one more.
    """
    forms = [(i, p) for i, strict, p in rest.signs if strict and p and all(sum(k for _, k in m) == 2 for m in p)]
    names = sorted({name for _, p in forms for monomial in p for name, _ in monomial})
    if len(forms) < 2:
        return None
    solver, weights, room = z3.Optimize(), [z3.Real(f"l{i}") for i, _ in forms], z3.Real("room")
    solver.add(z3.Sum(weights) == 1, room <= 1, *(weight >= 0 for weight in weights))
    solver.maximize(room)
    for _ in range(POINTS):
        if solver.check() != z3.sat:
            return None
        model = solver.model()
        if z3.is_true(model.eval(room < 0, model_completion=True)):
            return None
        found = [Fraction(str(model.eval(weight, model_completion=True).as_fraction())) for weight in weights]
        total = plus(*(scaled(p, weight) for weight, (_, p) in zip(found, forms, strict=True)))
        squares = _squares(total)
        if squares is not None:
            terms = [Term(weight, (i,)) for weight, (i, _) in zip(found, forms, strict=True) if weight]
            return [*terms, *(Term(c, square=root) for c, root in squares)]
        point = dict(zip(names, _steepest(total, names), strict=True))
        values = [
            sum((c * math.prod(point[n] ** k for n, k in m) for m, c in p.items()), Fraction(0)) for _, p in forms
        ]
        summands = [weight * z3.RealVal(str(v)) for weight, v in zip(weights, values, strict=True)]
        solver.add(z3.Sum(summands) + room * z3.RealVal(str(sum(abs(value) for value in values))) <= 0)
    return None


def _steepest(form: Polynomial, names: list[str]) -> list[Fraction]:
    """About the eigenvector of a quadratic form's greatest eigenvalue."""
    matrix = np.zeros((len(names), len(names)))
    for monomial, c in form.items():
        one, other = [names.index(name) for name, k in monomial for _ in range(k)]
        matrix[one, other] += float(c) / 2
        matrix[other, one] += float(c) / 2
    return [Fraction(value).limit_denominator(1000) for value in np.linalg.eigh(matrix)[1][:, -1].tolist()]


@dataclass(frozen=True)
class _Column:
    """A polynomial of a known sign: 0 (with the equation), or at least 0, or above it."""

    polynomial: Polynomial
    term: Term
    equation: _Equation | None = None
    strict: bool = False


def _combined(rest: _Rest, level: int) -> list[Term] | None:
    """Terms that add up to 0 modulo what is solved, by a linear program."""
    columns = list(itertools.islice(_columns(rest, level), MOST + 1))
    if len(columns) > MOST:
        return None
    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", MILLISECONDS)
    factors = [z3.Real(f"l{k}") for k in range(len(columns))]
    rows: dict[Monomial, list[Any]] = {}
    for column, factor in zip(columns, factors, strict=True):
        if column.equation is None:
            solver.add(factor >= 0)
        for monomial, c in column.polynomial.items():
            rows.setdefault(monomial, []).append(z3.RealVal(str(c)) * factor)
    solver.add(*(z3.Sum(row) == 0 for row in rows.values()))
    solver.add(z3.Sum([factor for column, factor in zip(columns, factors, strict=True) if column.strict]) == 1)
    if solver.check() != z3.sat:
        return None
    model, terms = solver.model(), []
    for column, factor in zip(columns, factors, strict=True):
        value = Fraction(str(model.eval(factor, model_completion=True).as_fraction()))
        if value and column.equation:
            terms += list(column.equation.terms({column.term.by: value}))
        elif value:
            terms.append(Term(value, column.term.of, column.term.by, column.term.square))
    return terms


def _columns(rest: _Rest, level: int) -> Iterator[_Column]:
    signs = [(i, strict, p) for i, strict, p in rest.signs if p]
    names = sorted({n for p in [*(p for *_, p in signs), *(e.polynomial for e in rest.left)] for m in p for n, _ in m})
    single: list[Monomial] = [((name, 1),) for name in names]
    found = [_Column(ONE, Term(Fraction(1)), strict=True)]
    for count in range(1, level + 1):
        # Products of many are too many.
        if count == 3 and len(signs) > 12:
            break
        for several in itertools.combinations_with_replacement(signs, count):
            product = ONE
            for *_, polynomial in several:
                product = times(product, polynomial)
            places = tuple(i for i, *_ in several)
            found.append(_Column(product, Term(Fraction(1), places), strict=all(strict for _, strict, _ in several)))
    if level > 1:
        for name in names:
            found.append(_Column({((name, 2),): Fraction(1)}, Term(Fraction(1), by=((name, 2),))))
        squares = list(_differences(itertools.combinations(single, 2)))
        found += squares
    if level > 2:
        for (i, _, polynomial), name in itertools.product(signs, names):
            by = ((name, 2),)
            found.append(_Column(times({by: Fraction(1)}, polynomial), Term(Fraction(1), (i,), by)))
        for (i, _, polynomial), square in itertools.islice(itertools.product(signs, squares), SQUARES):
            product = times(square.polynomial, polynomial)
            found.append(_Column(product, Term(Fraction(1), (i,), square=square.term.square)))
        double = sorted({_product(a, b) for a, b in itertools.combinations_with_replacement(single, 2)})
        apart = ((a, b) for a, b in itertools.combinations(double, 2) if not set(dict(a)) & set(dict(b)))
        found += _differences(itertools.islice(apart, SQUARES))
    yield from found
    yield from _multiples(rest.left, {m for column in found for m in column.polynomial}, level)


def _multiples(equations: list[_Equation], monomials: set[Monomial], rounds: int) -> Iterator[_Column]:
    """The equations times monomials that bring a term of theirs to a monomial that is there, a few times over."""
    met: set[tuple[int, Monomial]] = set()
    for _ in range(rounds):
        there, monomials = monomials, set()
        for (place, equation), monomial in itertools.product(enumerate(equations), there):
            for part in equation.polynomial:
                by = _quotient(monomial, part)
                if by is not None and (place, by) not in met:
                    met.add((place, by))
                    product = times({by: Fraction(1)}, equation.polynomial)
                    monomials |= set(product)
                    yield _Column(product, Term(Fraction(1), by=by), equation)


def _quotient(monomial: Monomial, part: Monomial) -> Monomial | None:
    left = Counter(dict(monomial))
    left.subtract(dict(part))
    return None if min(left.values(), default=0) < 0 else tuple(sorted((name, k) for name, k in left.items() if k))


def _differences(pairs: Iterable[tuple[Monomial, Monomial]]) -> Iterator[_Column]:
    """The squares of sums and differences of two monomials."""
    for (one, other), sign in itertools.product(pairs, (1, -1)):
        root: Polynomial = {one: Fraction(1), other: Fraction(sign)}
        yield _Column(times(root, root), Term(Fraction(1), square=root))


def _product(one: Monomial, other: Monomial) -> Monomial:
    (product,) = times({one: Fraction(1)}, {other: Fraction(1)})
    return product
