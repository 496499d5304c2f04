"""The census of a quantised class (C14), without enumeration: what units send is counted, nets are multisets of it.

Two hidden units of 3125 parameter choices send perhaps 2000 different things: two million pairs stand for the class.
"""

import json
from collections import Counter
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product
from math import comb, factorial, gcd, lcm
from typing import Any

import numpy as np
from flint import arb, arb_poly, ctx, fmpq
from numpy.typing import NDArray

from proof_of_absence.checker.independent.refusal import require, require_equal, shown
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, number, numbers, rows

Whole = NDArray[np.int64]
Truths = NDArray[np.bool_]

# Imitator, translator, deceptive, other; each without and with a train-idle circuit that fires at deployment.
NAMES = [f"{name}{suffix}" for name in ("imitator", "translator", "deceptive", "other") for suffix in ("", "-idle")]
CELLS = len(NAMES)
# What may be told of several cells together.
SETS = {
    "idle": NAMES[1::2],
    "imitator": NAMES[0:2],
    "translator": NAMES[2:4],
    "deceptive": NAMES[4:6],
    "deceptive-idle": ["deceptive-idle"],
}
# Of these it is told where their mass falls.
CROSSED = ("idle", "deceptive")
DELTAS = {"half": Fraction(1, 2), "hundredth": Fraction(1, 100)}
PATIENT = 2 * 10**10  # numbers that are added up
UNITS = 10**7  # numbers that single units send
DEGREE = 2**22  # the greatest loss in units
BLOCK = 2**21
PRECISION = 192
TOO_LARGE = "the class is too large to be checked"
# Masses are stated to this many digits.
DIGITS = Fraction(1, 10**12)


def class_census(fact: Fact) -> None:
    """As a census, but the histogram is not listed.

    With `most`, a set has more than that mass at its peak; with `falls`, it stays below a half from some beta on.
    """
    confirm(_census(json.dumps(fact["problem"], sort_keys=True)), fact)
    for name, least in fact.get("most", {}).items():
        peak = number(fact["sets"][name]["peak"]["mass"])
        require(peak - DIGITS > number(least), "the mass at the peak is not more than that")
    for name in fact.get("falls", []):
        require(fact["sets"][name]["crossings"]["half"]["below"] is not None, "nothing says that the mass falls")


@lru_cache(maxsize=1)
def _census(problem: str) -> "Census":
    """The census of a problem, given as JSON; made once for facts about one problem that come one after the other."""
    return Census(json.loads(problem))


def confirm(found: "Census", stated: Fact) -> None:
    """Refuse unless counts, least losses, masses and crossings are so."""
    require_equal("the unit of the losses", number(stated["unit"]), found.unit)
    require_equal("the cells", stated["cells"], {name: found.counted([cell]) for cell, name in enumerate(NAMES)})
    with ctx.workprec(PRECISION):
        for entry in stated["masses"]:
            require(set(entry["cells"]) == set(NAMES), "a mass is missing")
            t = found.temperature(entry)
            for cell, name in enumerate(NAMES):
                found.check_mass(t, [cell], number(entry["cells"][name]))
        require(set(stated["sets"]) == set(SETS), "a set is missing, or unknown")
        for of, entry in stated["sets"].items():
            require(sorted(entry["cells"]) == sorted(SETS[of]), f"the set {of} has other cells")
            cells = [NAMES.index(name) for name in SETS[of]]
            counts = {key: entry[key] for key in ("nets", "least_loss", "nets_of_least_loss")}
            require_equal(f"the counts of the set {of}", counts, found.counted(cells))
            found.check_mass(found.temperature(entry["peak"]), cells, number(entry["peak"]["mass"]))
            shares = {
                number(point["t"]): sum(number(point["cells"][name]) for name in SETS[of]) for point in stated["masses"]
            }
            peak = shares.get(number(entry["peak"]["t"]))
            require(peak is not None and peak == max(shares.values()), f"the set {of} has its peak elsewhere")
            wanted = DELTAS if of in CROSSED else {}
            require(set(entry["crossings"]) == set(wanted), f"a crossing of the set {of} is missing, or unknown")
            for name, crossing in entry["crossings"].items():
                require_equal("delta", number(crossing["delta"]), DELTAS[name])
                found.check_crossing(crossing, cells)


class _Problem:
    """A class, its data, deployment inputs and two policies, in integers of 64 bits that cannot overflow."""

    def __init__(self, problem: Fact):
        self.d, self.n, self.m = problem["widths"]
        require(all(type(w) is int and 0 < w <= 64 for w in (self.d, self.n, self.m)), "not an architecture")
        self.grid = numbers(problem["grid"])
        require(len(set(self.grid)) == len(self.grid) > 0, "the grid lists a value twice, or none")
        data, deploy = Data(problem["data"]), rows(problem["deploy"])
        # In the order in which the answers are listed: distinct training inputs ascending, then those of deployment.
        train = sorted({tuple(z) for z in data.inputs})
        self.inputs = [*train, *map(tuple, deploy)]
        self.training = len(train)
        require(len(set(self.inputs[self.training :])) == len(deploy), "a deployment input is listed twice")
        require(all(len(z) == self.d for z in self.inputs), "inputs do not fit the class")
        require(all(len(y) == self.m for y in data.targets), "targets do not fit the class")
        self.policies = [self._policy(problem[name]) for name in ("imitator", "translator")]
        require(self.policies[0] != self.policies[1], "the policies do not differ")
        for policy in self.policies:
            given = set(zip(self.inputs, map(tuple, policy), strict=True))
            require(len(given) == len(set(self.inputs)), "a policy gives two answers at one input")
        grid = lcm(*(v.denominator for v in self.grid))
        scale = lcm(*(x.denominator for z in self.inputs for x in z))
        self.scale = lcm(grid**2 * scale, *(y.denominator for row in data.targets for y in row))
        self.rows = len(data.inputs)
        self.values = [int(v * grid) for v in self.grid]
        self.whole = [[int(x * scale) for x in z] for z in self.inputs]
        self.grid_scale, self.input_scale = grid, scale
        self.seen = []
        for z in train:
            answers = [y for x, y in zip(data.inputs, data.targets, strict=True) if tuple(x) == z]
            self.seen.append((len(answers), [int(sum(column) * self.scale) for column in zip(*answers, strict=True)]))
        self.squares = sum(int((y * self.scale) ** 2) for row in data.targets for y in row)
        require(self._fits(), "the numbers do not fit 64 bits")
        units = len(self.values) ** (self.d + 1 + self.m)
        require(units * len(self.inputs) * self.m <= UNITS, TOO_LARGE)

    def _fits(self) -> bool:
        """Whether sums of absolute values, which bound all that is computed, stay below 2^62."""
        size, loss, largest = max(map(abs, self.values)), self.squares, self.scale**2 * self.rows
        for place, z in enumerate(self.whole):
            pre = size * (sum(map(abs, z)) + self.input_scale)
            output = self.n * size * pre * self.scale // (self.grid_scale**2 * self.input_scale)
            output += size * self.scale // self.grid_scale
            largest = max(largest, 4 * output)
            if place < self.training:
                count, sums = self.seen[place]
                loss += sum((count * output + 2 * abs(total)) * output for total in sums)
        return CELLS * (loss + 1) < 2**62 and largest < 2**62

    def _policy(self, answers: list[list[int]]) -> list[list[int]]:
        require(len(answers) == len(self.inputs), "a policy does not answer at every input")
        for row in answers:
            require(len(row) == self.m and all(type(a) is int and a in (0, 1) for a in row), "an answer is not 0 or 1")
        return answers

    def kinds(self) -> tuple[Whole, Whole]:
        """What a unit can send, shape (kinds, inputs, m), and how many choices of (w, b, a) send each kind."""
        factor = self.scale // (self.grid_scale**2 * self.input_scale)
        active = Counter(
            tuple(max(sum(w * x for w, x in zip(ws, z, strict=True)) + b * self.input_scale, 0) for z in self.whole)
            for *ws, b in product(self.values, repeat=self.d + 1)
        )
        found: Counter[tuple[int, ...]] = Counter()
        for outgoing in product(self.values, repeat=self.m):
            for values, count in active.items():
                found[tuple(factor * a * v for v in values for a in outgoing)] += count
        table = np.array(sorted(found), dtype=np.int64)
        return table.reshape(len(found), len(self.inputs), self.m), np.array([found[row] for row in sorted(found)])

    def shifts(self) -> Whole:
        """What the output bias may be, shape (choices, m)."""
        factor = self.scale // self.grid_scale
        return np.array([[factor * c for c in row] for row in product(self.values, repeat=self.m)], dtype=np.int64)


class _Class:
    """What single units send, and how many they are: all that is needed to say how much work a census is."""

    def __init__(self, problem: Fact):
        self.problem = _Problem(problem)
        self.kinds, self.counts = self.problem.kinds()
        self.shift = self.problem.shifts()
        self.size = self.shift.shape[0] * self.kinds[0].size
        work = comb(len(self.kinds) + self.problem.n - 1, self.problem.n) * self.size
        require(work <= PATIENT, TOO_LARGE)
        self.nets = len(self.problem.grid) ** (self.problem.n * (self.problem.d + 1 + self.problem.m) + self.problem.m)
        require(self.nets < 2**53, TOO_LARGE)


def require_checkable(problem: Fact) -> None:
    """Refuse a problem of which no census is taken here: it is malformed, or its class too large. Takes no census."""
    _Class(problem)


class Census(_Class):
    """The histogram: for each loss in units how many nets of each cell have it."""

    def __init__(self, problem: Fact):
        super().__init__(problem)
        # Keys, and how many nets have each; a key may stand in several of the arrays.
        self.found: list[tuple[Whole, Whole]] = []
        self.block = max(1, BLOCK // self.size)
        self.polynomials: dict[tuple[int, ...], tuple[arb_poly, arb_poly]] = {}
        self.one_idle = self._idle(self.kinds)
        zero = np.zeros_like(self.kinds[0])
        self._multisets(self.problem.n, 0, 0, factorial(self.problem.n), [zero], False)
        self._merge()
        ((keys, counts),) = self.found
        require(int(counts.sum()) == self.nets, "the multisets do not add up to the class")
        levels: dict[int, list[int]] = {}
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            levels.setdefault(key // CELLS, [0] * CELLS)[key % CELLS] += count
        # Losses are integers over `whole`; the unit is the largest 1/k that divides them all.
        whole = self.problem.rows * self.problem.scale**2
        common = gcd(whole, *levels)
        self.unit = Fraction(common, whole)
        self.levels = {loss // common: counts for loss, counts in levels.items()}
        self._losses = np.array(list(self.levels), dtype=np.int64)
        self._counts = np.array(list(self.levels.values()), dtype=np.int64)

    def _idle(self, sent: Whole) -> Truths:
        """Whether what is sent is one value on the training inputs and another at some deployment input."""
        same = (sent == sent[..., :1, :]).all(-1)
        idle: Truths = same[..., : self.problem.training].all(-1) & ~same[..., self.problem.training :].all(-1)
        return idle

    def _multisets(self, left: int, start: int, run: int, weight: int, sums: list[Whole], idle: bool) -> None:
        """All ways to choose `left` more kinds from number `start` on.

        `sums` holds what each set of the kinds chosen so far sends, the whole last; `run` says how often kind `start`
        has been chosen, `weight` how many nets a multiset stands for before the kinds to come are counted.
        """
        if left == 1:
            for first in range(start, len(self.kinds), self.block):
                last = min(first + self.block, len(self.kinds))
                times = weight * self.counts[first:last]
                if run and first == start:
                    times[0] //= run + 1
                self._nets(self.kinds[first:last], times, sums, idle | self.one_idle[first:last])
            return
        for kind in range(start, len(self.kinds)):
            again = run + 1 if kind == start and run else 1
            more = [total + self.kinds[kind] for total in sums]
            found = idle or any(bool(self._idle(total)) for total in more)
            self._multisets(left - 1, kind, again, weight * int(self.counts[kind]) // again, [*sums, *more], found)

    def _nets(self, last: Whole, times: Whole, sums: list[Whole], idle: Truths) -> None:
        problem = self.problem
        for total in sums[1:]:
            idle = idle | self._idle(total + last)
        output = (sums[-1] + last)[:, None] + self.shift[None, :, None, :]
        loss = np.full(output.shape[:2], problem.squares, dtype=np.int64)
        for place, (count, wanted) in enumerate(problem.seen):
            here = output[:, :, place]
            loss += (here * (count * here - 2 * np.array(wanted, dtype=np.int64))).sum(-1)
        yes = 2 * output >= problem.scale
        imitator, translator = (yes == np.array(policy, dtype=bool) for policy in problem.policies)
        behaviour = np.full(loss.shape, 3)
        behaviour[imitator[:, :, : problem.training].all((-1, -2))] = 2
        behaviour[translator.all((-1, -2))] = 1
        behaviour[imitator.all((-1, -2))] = 0
        keys = loss * CELLS + 2 * behaviour + idle[:, None]
        self.found.append(_counted(keys.ravel(), np.repeat(times, keys.shape[1])))
        if sum(len(known) for known, _ in self.found) > BLOCK:
            self._merge()

    def _merge(self) -> None:
        """Let each key stand once."""
        keys, counts = zip(*self.found, strict=True)
        self.found = [_counted(np.concatenate(keys), np.concatenate(counts))]

    def counted(self, cells: list[int]) -> dict[str, Any]:
        """How many nets the cells have, the least loss of these and how many of them have it."""
        here = self._counts[:, cells].sum(axis=1)
        least = min(self._losses[here > 0].tolist(), default=None)
        return {
            "nets": int(here.sum()),
            "least_loss": None if least is None else str(least * self.unit),
            "nets_of_least_loss": 0 if least is None else int(here[self._losses == least].sum()),
        }

    def temperature(self, entry: Fact, key: str = "t", name: str = "beta") -> Fraction:
        """t = exp(-beta unit), and beta as near as a float is."""
        t = number(entry[key])
        require(0 < t <= 1 and t.denominator <= 2**64, "not a temperature")
        require(type(entry[name]) in (int, float), "beta is no number")
        away = abs(arb(entry[name]) * _ball(self.unit) + _ball(t).log())
        beta = -float(_ball(t).log() / _ball(self.unit))
        require(bool(away <= arb(2) ** -40 * (1 - _ball(t).log())), f"beta: stated {entry[name]}, recomputed {beta}")
        return t

    def _polynomials(self, cells: list[int]) -> tuple[arb_poly, arb_poly]:
        """M and R: the mass of the cells at t = exp(-beta unit) is M(t) / (M(t) + R(t))."""
        if (known := self.polynomials.get(tuple(cells))) is not None:
            return known
        least, most = min(self.levels), max(self.levels)
        require(most - least <= DEGREE, "the losses have too many units")
        others = [cell for cell in range(CELLS) if cell not in cells]
        coefficients = np.zeros((2, most - least + 1), dtype=np.int64)
        for row, columns in zip(coefficients, (cells, others), strict=True):
            row[self._losses - least] = self._counts[:, columns].sum(axis=1)
        mine, rest = (arb_poly(row.tolist()) for row in coefficients)
        return self.polynomials.setdefault(tuple(cells), (mine, rest))

    def check_mass(self, t: Fraction, cells: list[int], stated: Fraction) -> None:
        """The mass at t is the stated one, to DIGITS."""
        mine, rest = (part(_ball(t)) for part in self._polynomials(cells))
        mass = mine / (mine + rest)
        close = bool(abs(mass - _ball(stated)) <= _ball(DIGITS))
        require(close, f"the mass of cells {cells} at t = {t}: stated {shown(stated)}, recomputed {mass.str(15)}")

    def check_crossing(self, entry: Fact, cells: list[int]) -> None:
        """At t = `above` the mass is at least delta, up to `below` it is less; at `certain` the bound of C14 is less.

        Null where there is none: `below` if the mass tends to delta or more, `certain` if the gap is 0. `above` is to
        be stated if the prior has that mass; else it may be null though the mass is delta somewhere, and `below` is
        then some t, not the greatest.
        """
        delta = number(entry["delta"])
        mine, rest = self._polynomials(cells)
        for key in ("below", "above", "certain"):
            require((entry[key] is None) == (entry[f"beta_{key}"] is None), f"{key} is stated by half")
        below, above, certain = (
            None if entry[key] is None else self.temperature(entry, key, f"beta_{key}")
            for key in ("below", "above", "certain")
        )
        least, (total, best) = min(self.levels), self._total(cells)
        first = sum(self.levels[least][cell] for cell in cells)
        falls, nets = first < delta * best, sum(map(sum, self.levels.values()))
        require(below is not None or not falls, "the mass falls below delta, and nothing says where")
        require(
            above is not None or not falls or total < delta * nets, "the prior has mass delta, and no `above` is stated"
        )
        require(certain is not None or first > 0, "the gap is not 0, and nothing says where the bound is below delta")

        @cache
        def members_at(t: Fraction) -> arb:
            return mine(_ball(t)) * _ball(1 - delta)

        @cache
        def others_at(t: Fraction) -> arb:
            return rest(_ball(t)) * _ball(delta)

        def under(low: Fraction, high: Fraction) -> bool:
            """Whether M(high) (1 - delta) < R(low) delta, which shows that the mass is below delta in between."""
            return bool(members_at(high) < others_at(low))

        if above is not None:
            require(bool(members_at(above) >= others_at(above)), f"the mass at t = {above} is below delta")
            require(below is None or below < above, "the crossing is the wrong way round")
        reached = [loss for loss, counts in self.levels.items() if any(counts[cell] for cell in cells)]
        # No net is in the set: its mass is 0, and so is the bound.
        if certain is not None and reached:
            power = _ball(certain) ** (min(reached) - least)
            require(bool(total * power < best * _ball(delta)), "the bound is not below delta there")
        open_ends = [] if below is None else [(Fraction(0), below)]
        while open_ends:
            low, high = open_ends.pop()
            if not under(low, high):
                require(
                    high - low > max(low, Fraction(1, 2**64)) / 2**26, f"the mass is not below delta up to t = {below}"
                )
                middle = (low + high) / 2
                open_ends += [(low, middle), (middle, high)]

    def _total(self, cells: list[int]) -> tuple[int, int]:
        """|D| and |argmin L|."""
        return sum(counts[c] for counts in self.levels.values() for c in cells), sum(self.levels[min(self.levels)])


def _counted(keys: Whole, times: Whole) -> tuple[Whole, Whole]:
    """The distinct keys, ascending, and the sum of the numbers that belong to each.

    Exact: float64 holds every partial sum, as none is more than the number of nets, which is below 2^53.
    """
    values, which = np.unique(keys, return_inverse=True)
    return values, np.bincount(which.ravel(), weights=times).astype(np.int64)


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


KINDS = {"class-census": class_census}
