"""A branch of a case distinction on an SMT-LIB script: what its assertions, and the cases taken, say of polynomials.

What is not decided in the branch, a part of an `ite` or a function's value, is a variable that may have any value.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any, NamedTuple

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.sexpr import NUMERAL, Polynomial, Script, Term, plus, scaled, times

Key = tuple[Any, ...]


class Formula(NamedTuple):
    """A formula, and whether it is so or not."""

    term: Term
    so: bool = True


class Hypothesis(NamedTuple):
    """A polynomial that is 0 (`=`), at least 0 (`>=`) or above 0 (`>`) in the branch."""

    relation: str
    polynomial: Polynomial


class Atom(NamedTuple):
    """What a comparison says as the sign of a polynomial; with what is known where it holds, and where it fails."""

    hypothesis: Hypothesis
    holds: Key
    fails: tuple[Key, ...]


# What is 0 or more if the relation holds: right minus left for "at most". Whether it is strict.
_ORDER = {"<=": (1, ">="), "<": (1, ">"), ">=": (-1, ">="), ">": (-1, ">")}


class Query(Script):
    """A script, and the terms of it that are the same polynomial in every branch, by name or identity."""

    def __init__(self, text: str):
        super().__init__(text)
        # With the term itself, so that no other has its identity.
        self.same: dict[str | int, tuple[Term, Polynomial]] = {}
        # Likewise comparisons of them.
        self.atoms: dict[int, tuple[Term, Atom]] = {}
        self.shapes: dict[tuple[int, bool], tuple[Term, Key]] = {}
        self._calls: dict[int, tuple[Term, Term]] = {}
        self._apart: dict[tuple[str | int, ...], list[Formula]] = {}
        _require_order(self)

    def called(self, call: list[Term]) -> Term:
        """What a macro stands for with these arguments; one term for each call, so that it is read once."""
        if id(call) not in self._calls:
            name, *arguments = call
            parameters, body = self.definitions[name]
            require(len(parameters) == len(arguments) > 0, f"{name}: wrong number of arguments")
            self._calls[id(call)] = (call, _with(dict(zip(parameters, arguments, strict=True)), body))
        return self._calls[id(call)][1]

    def apart(self, one: Term, other: Term) -> list[Formula]:
        """The two ways in which terms differ; the same formulas each time, so that they are read once."""
        key = tuple(term if isinstance(term, str) else id(term) for term in (one, other))
        return self._apart.setdefault(key, [Formula([sign, one, other]) for sign in ("<", ">")])


class Branch:
    """What is known where the script's assertions and the cases hold.

    `hypotheses` are polynomials with their signs. Of each member of `choices` at least one formula holds. `conditions`
    are those of an `ite` that nothing decides, by what they say. `closed`: some truth value is both true and false.
    `names` has the variables for what is not decided, by what they stand for.
    """

    def __init__(self, script: Query, cases: Sequence[Formula] = ()):
        self.hypotheses: list[Hypothesis] = []
        self.choices: list[list[Formula]] = []
        self.conditions: dict[Key, Formula] = {}
        self.closed = False
        self._script = script
        self.names: dict[Key, str] = {}
        self._known: set[Key] = set()
        # What other terms are, by what is known so far; how often something hung on that.
        self._here: dict[str | int, tuple[Term, Polynomial]] = {}
        self._hung = 0
        # What is known decides conditions, and more is known then.
        while True:
            before = len(self._known)
            self.hypotheses, self.choices, self.conditions, self._here = [], [], {}, {}
            for formula in (*(Formula(term) for term in script.assertions), *cases):
                self._read(formula)
            # More knowledge opens nothing again.
            if self.closed or len(self._known) == before:
                return

    def _read(self, formula: Formula) -> None:
        """Take what a formula says that holds."""
        term, so = formula = self._opened(formula)
        match term:
            case ["not", inner]:
                self._read(Formula(inner, not so))
            case ["and" | "or" | "=>" as operator, *parts]:
                members = [Formula(part, so) for part in parts]
                if operator == "=>":
                    members = [member._replace(so=not so) for member in members[:-1]] + members[-1:]
                if (operator == "and") == so:
                    for member in members:
                        self._read(member)
                else:
                    self._choose(members)
            case ["ite", condition, one, other]:
                truth = self._truth(Formula(condition))
                if truth is None:
                    self.conditions.setdefault(self.shape(Formula(condition)), Formula(condition))
                else:
                    self._read(Formula(one if truth else other, so))
            case "true" | "false":
                self.closed |= (term == "true") != so
            case str():
                require(self._script.declared.get(term) == "Bool", f"{term} is no truth value")
                self._known.add(("bool", term, so))
                self.closed |= ("bool", term, not so) in self._known
            case _:
                self._compare(formula)

    def _compare(self, formula: Formula) -> None:
        """Take what a comparison says: a hypothesis for each two terms, or a choice."""
        term, so = formula
        operator, *parts = term
        require(len(parts) > 1, f"{operator} of one term")
        if (operator == "distinct" and so) or (operator == "=" and not so):
            pairs = combinations(parts, 2) if operator == "distinct" else pairwise(parts)
            apart = [self._script.apart(*pair) for pair in pairs]
            for choice in apart if operator == "distinct" else [[one for two in apart for one in two]]:
                self._choose(choice)
            return
        if len(parts) > 2:
            require(so and operator != "distinct", f"{operator} of several terms fails")
            for pair in pairwise(parts):
                self._compare(Formula([operator, *pair]))
            return
        relation, polynomial = self._atom(term).hypothesis
        if not so and operator != "distinct":
            relation, polynomial = (">" if relation == ">=" else ">="), scaled(polynomial, -1)
        self.hypotheses.append(Hypothesis(relation, polynomial))
        self._known |= set(_said(relation, polynomial))

    def _atom(self, term: Term) -> Atom:
        """A comparison of two terms, read once if it says the same in every branch."""
        if id(term) in self._script.atoms:
            return self._script.atoms[id(term)][1]
        before = self._hung
        found = _atom(*self._compared(term))
        if self._hung == before:
            self._script.atoms[id(term)] = (term, found)
        return found

    def _compared(self, term: Term) -> tuple[str, Polynomial]:
        """A comparison of two terms as a sign of their difference; of "distinct" what it denies."""
        operator, left, right = term
        difference = self._polynomial(left), self._polynomial(right)
        sign, relation = _ORDER.get(operator, (1, "="))
        require(operator in _ORDER or operator in ("=", "distinct"), f"operator {operator} is not understood")
        return relation, plus(scaled(difference[1], sign), scaled(difference[0], -sign))

    def _apart(self, member: Formula) -> list[Formula]:
        """The formula, or two of which one holds if it says that two terms differ."""
        term, so = self._opened(member)
        match term:
            case ["not", inner]:
                return self._apart(Formula(inner, not so))
            case ["distinct" | "=" as operator, one, other] if so == (operator == "distinct"):
                return self._script.apart(one, other)
        return [member]

    def _choose(self, members: list[Formula]) -> None:
        """Take it that one of them holds."""
        members = [one for member in members for one in self._apart(member)]
        truths = [self._truth(member) for member in members]
        left = [member for member, truth in zip(members, truths, strict=True) if truth is not False]
        if True in truths:
            return
        if len(left) == 1:
            self._read(left[0])
        elif left:
            self.choices.append(left)
        else:
            self.closed = True

    def _truth(self, formula: Formula) -> bool | None:
        """Whether it is decided that the formula holds, or fails; what is not understood is not decided."""
        term, so = self._opened(formula)
        truth: bool | None = None
        match term:
            case ["not", inner]:
                truth = self._truth(Formula(inner, False))
            case ["and" | "or" as operator, *parts]:
                truths = [self._truth(Formula(part)) for part in parts]
                decisive = operator == "or"
                truth = decisive if decisive in truths else None if None in truths else not decisive
            case str():
                truth = next((value for value in (True, False) if ("bool", term, value) in self._known), None)
            case ["=" | "<=" | "<" | ">=" | ">" | "distinct" as operator, _, _]:
                truth = self._sign(self._atom(term))
                so = so == (operator != "distinct")
        return truth if so or truth is None else not truth

    def _sign(self, atom: Atom) -> bool | None:
        relation, polynomial = atom.hypothesis
        if set(polynomial) <= {()}:
            value = polynomial.get((), Fraction(0))
            return {"=": value == 0, ">=": value >= 0, ">": value > 0}[relation]
        if atom.holds in self._known:
            return True
        return None if self._known.isdisjoint(atom.fails) else False

    def _opened(self, formula: Formula) -> Formula:
        """The formula with its definitions and arguments put in, at its head."""
        term, so = formula
        while True:
            if isinstance(term, str) and term in self._script.definitions:
                parameters, term = self._script.definitions[term]
                require(not parameters, "a definition needs arguments")
            elif isinstance(term, list) and term and isinstance(term[0], str) and term[0] in self._script.definitions:
                term = self._script.called(term)
            else:
                return Formula(term, so)

    def _polynomial(self, term: Term) -> Polynomial:
        """A term of numbers as a polynomial in the declared names and in what is not decided."""
        if isinstance(term, str) and term not in self._script.definitions:
            return self._of(term)
        key = term if isinstance(term, str) else id(term)
        if key in self._script.same:
            return self._script.same[key][1]
        if key not in self._here:
            before = self._hung
            found = self._of(self._opened(Formula(term)).term)
            if self._hung == before:
                self._script.same[key] = (term, found)
                return found
            self._here[key] = (term, found)
        self._hung += 1
        return self._here[key][1]

    def _of(self, term: Term) -> Polynomial:
        match term:
            case str() if term in self._script.declared:
                require(self._script.declared[term] == "Real", f"{term} is no number")
                return {((term, 1),): Fraction(1)}
            case str():
                return _constant(term)
            case ["+", *parts]:
                return plus(*(self._polynomial(part) for part in parts))
            case ["-", only]:
                return scaled(self._polynomial(only), -1)
            case ["-", first, *parts]:
                less = (scaled(self._polynomial(part), -1) for part in parts)
                return plus(self._polynomial(first), *less)
            case ["*", *parts]:
                result: Polynomial = {(): Fraction(1)}
                for part in parts:
                    result = times(result, self._polynomial(part))
                return result
            case ["/", above, below]:
                divisor = self._polynomial(below)
                require(set(divisor) == {()}, "division by what is no number")
                return scaled(self._polynomial(above), 1 / divisor[()])
            case ["ite", condition, one, other]:
                return self._chosen(Formula(condition), one, other)
            case [str(name), *parts] if self._script.declared.get(name) == "function":
                return self._variable((name, *(_frozen(self._polynomial(part)) for part in parts)))
        raise Refused(f"term {term} is not understood")

    def _chosen(self, condition: Formula, one: Term, other: Term) -> Polynomial:
        self._hung += 1
        truth = self._truth(condition)
        if truth is not None:
            return self._polynomial(one if truth else other)
        parts = [_frozen(self._polynomial(part)) for part in (one, other)]
        shape = self.shape(condition)
        self.conditions.setdefault(shape, condition)
        return self._variable(("ite", shape, *parts))

    def shape(self, formula: Formula) -> Key:
        """What a condition says, by which it is known again."""
        term, so = self._opened(formula)
        if (id(term), so) in self._script.shapes:
            return self._script.shapes[id(term), so][1]
        before = self._hung
        found = self._shape(term, so)
        if self._hung == before:
            self._script.shapes[id(term), so] = (term, found)
        return found

    def _shape(self, term: Term, so: bool) -> Key:
        match term:
            case str():
                return ("bool", term, so)
            case ["not" | "and" | "or" as operator, *parts]:
                return (operator, so, *(self.shape(Formula(part)) for part in parts))
        require(len(term) == 3, f"condition {term} is not understood")
        return (*self._atom(term).holds, so == (term[0] != "distinct"))

    def _variable(self, key: Key) -> Polynomial:
        """A variable for what has this key: equal ones have equal values."""
        self._hung += 1
        return {((self.names.setdefault(key, f"({len(self.names)})"), 1),): Fraction(1)}


def _require_order(script: Script) -> None:
    """Refuse definitions that use themselves or later ones."""
    ahead = set(script.definitions)
    for name, (_, body) in script.definitions.items():
        require(ahead.isdisjoint(_words(body)), f"{name} uses what is defined later")
        ahead.remove(name)


def _with(arguments: dict[str, Term], body: Term) -> Term:
    """The body of a macro with arguments in place of its parameters."""
    if isinstance(body, str):
        return arguments.get(body, body)
    return [*body[:1], *(_with(arguments, part) for part in body[1:])]


def _words(term: Term) -> Iterator[str]:
    if isinstance(term, str):
        yield term
        return
    for part in term:
        yield from _words(part)


def _atom(relation: str, polynomial: Polynomial) -> Atom:
    fails: tuple[Key, ...] = (_key(">=" if relation == ">" else ">", scaled(polynomial, -1)),)
    if relation == "=":
        fails = (*fails, _key(">", polynomial))
    return Atom(Hypothesis(relation, polynomial), _key(relation, polynomial), fails)


def _said(relation: str, polynomial: Polynomial) -> Iterator[Key]:
    """What holds where a polynomial has a sign."""
    yield _key(relation, polynomial)
    if relation == ">":
        yield _key(">=", polynomial)
    if relation == "=":
        yield _key(">=", polynomial)
        yield _key(">=", scaled(polynomial, -1))


def _key(relation: str, polynomial: Polynomial) -> Key:
    """The sign that a polynomial has, the same for its positive multiples, and of an equation for all."""
    terms = sorted(polynomial.items())
    if not terms:
        return (relation, ())
    size = terms[0][1] if relation == "=" else abs(terms[0][1])
    return (relation, tuple((monomial, _plain(c / size)) for monomial, c in terms))


def _frozen(polynomial: Polynomial) -> tuple[Any, ...]:
    return tuple((monomial, _plain(c)) for monomial, c in sorted(polynomial.items()))


def _plain(c: Fraction) -> int | Fraction:
    """The same number: an int, if it is one, is looked up sooner."""
    return c.numerator if c.denominator == 1 else c


def _constant(word: str) -> Polynomial:
    require(NUMERAL.fullmatch(word), f"{word} is not understood")
    value = Fraction(word)
    return {(): value} if value else {}
