"""Global minima over shallow nets with one output, by residuals that no net of a kind correlates with."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb, lcm

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, dot, rows

# Hyperplanes to try, inputs in one of them, and different sets of residuals to keep.
MOST_PLANES, MOST_IN_PLANE, MOST_SETS = 20_000, 12, 1_000_000
# Values of rays at inputs to keep and to compare, and pairs of sets to intersect: minutes.
MOST_VALUES, MOST_COMPARED, MOST_PAIRS = 10**7, 10**9, 10**8

Vector = tuple[Fraction, ...]


def global_minimum(fact: Fact) -> None:
    """No net with `units` hidden units has a lower loss than `net`, which is one: its further units send nothing.

    Each of `residuals` is a table with one row, over the distinct inputs in order.

    Notes
    -----
    Let u_g be the distinct inputs, nu_g their multiplicities, y_g their mean targets. For any vector r over them,

        sum_g nu_g (y_g - f(u_g))^2  >=  sum_g nu_g (2 r_g y_g - r_g^2)  -  2 sum_g nu_g r_g f(u_g),

    by (y - f - r)^2 >= 0. So r bounds the loss of every net f with <r, f> = sum_g nu_g r_g f(u_g) <= 0: of f = c +
    sum_j a_j phi_j if <r, 1> = 0 and each unit has <r, a_j phi_j> <= 0. The units are told apart by the sign of their
    output weight, and by the signs that (w, b) have on the inputs. Weights (w, b) with given signs form a cone on
    which phi_j is linear. The cone is pointed, since the vectors (u_g, 1) span once coordinates that depend on others
    are left out (which changes no unit on the inputs); so it is the nonnegative combinations of its extreme rays, each
    of which vanishes at d independent inputs. So <r, a_j phi_j> <= 0 has to be seen at rays only, by the sign of a_j.
    """
    net, data, units = Net(fact["net"]), Data(fact["data"]), fact["units"]
    require(len(net.layers) == 2 and net.widths[2] == 1, "not a shallow net with one output")
    require(type(units) is int and 0 <= units <= net.widths[1], "the net has not as many units")
    require(not any(net.layers[1][0][0][units:]), "a further unit sends something")
    above = data.error(net) - data.floor()
    groups = data.means()
    points = sorted(groups)
    nu, means = zip(*((count, mean) for count, (mean,) in (groups[u] for u in points)), strict=True)
    tables = fact["residuals"]
    require(isinstance(tables, list) and bool(tables), "there is no residual")
    weighted = []
    for table in map(rows, tables):
        r = table[0]
        require(len(table) == 1 and len(r) == len(points), "a residual is not over the distinct inputs")
        require(not dot(nu, r), "a residual does not sum to 0")
        heavy = [n * x for n, x in zip(nu, r, strict=True)]
        bound = dot(heavy, [2 * y - x for x, y in zip(r, means, strict=True)])
        require(bound >= above, "a residual gives too low a bound")
        weighted.append(heavy)
    Signs(points).every_net(units, weighted)


class Signs:
    """The rays at points, and for all signs on the points that a unit's weights can have, those of its cone."""

    def __init__(self, points: list[Vector]):
        table = _heights(points)
        self._features = [[max(x, 0) for x in row] for row in table]
        self._cones = list(_cones(table))

    def every_net(self, units: int, weighted: list[list[Fraction]]) -> None:
        """Whatever signs its units have, some of the functionals is not positive at any of them.

        A functional is given by its weights at the points. In a cone it is linear, so that it is seen at rays.
        """
        _every_net(units, self._features, self._cones, weighted)


def _every_net(units: int, features: list[list[int]], cones: list[list[int]], weighted: list[list[Fraction]]) -> None:
    """The same.

    A set of residuals is an integer with a bit for each. `kinds` has, for each cone of weights and each sign of the
    output weight, the residuals that serve; `left` those that serve for all of a net's units, of which some must be
    left.
    """
    serve = {sign: [0] * len(features) for sign in (1, -1)}
    for k, r in enumerate(weighted):
        scale = lcm(*(x.denominator for x in r))
        cleared = [int(x * scale) for x in r]
        for ray, feature in enumerate(features):
            slope = sum(x * f for x, f in zip(cleared, feature, strict=True))
            for sign in (1, -1):
                serve[sign][ray] |= (sign * slope <= 0) << k
    everything = (1 << len(weighted)) - 1
    kinds = set()
    for cone in cones:
        for of_ray in serve.values():
            common = everything
            for ray in cone:
                common &= of_ray[ray]
            kinds.add(common)
    kinds, left, tried = _least(kinds), {everything}, 0
    for _ in range(units):
        tried += len(left) * len(kinds)
        require(tried <= MOST_PAIRS, "too many kinds of nets")
        before, left = left, {one & kind for one in left for kind in kinds}
        require(len(left) <= MOST_SETS, "too many kinds of nets")
        # From one unit on the sets only grow more, since a unit may be of the kind of another.
        if left == before:
            break
    require(all(left), "no residual bounds the nets with some signs of the units")


def _least(sets: set[int]) -> set[int]:
    """Those that contain no other: it is they that may leave nothing."""
    kept: list[int] = []
    for one in sorted(sets, key=int.bit_count):
        if all(other & ~one for other in kept):
            kept.append(one)
    return set(kept)


def _heights(points: list[Vector]) -> list[list[int]]:
    """For each ray its values at the inputs, cleared of denominators; both orientations."""
    lifted = [(Fraction(1), *u) for u in points]
    kept = _pivots(lifted)
    lifted = [tuple(p[k] for k in kept) for p in lifted]
    planes = comb(len(lifted), len(kept) - 1)
    require(planes <= MOST_PLANES and planes * len(lifted) <= MOST_VALUES, "too many hyperplanes")
    table = []
    for chosen in combinations(lifted, len(kept) - 1):
        if (ray := _normal(chosen, len(kept))) is not None:
            values = [dot(ray, p) for p in lifted]
            scale = lcm(*(x.denominator for x in values))
            row = [int(x * scale) for x in values]
            table += [row, [-x for x in row]]
    return table


def _cones(table: list[list[int]]) -> Iterator[list[int]]:
    """For all signs on the inputs that any weights but 0 can have, the rays that have them too (where they are not 0).

    The cone of such weights has an extreme ray, and where that is not 0 its signs are those of the cone.
    """
    seen, compared = set(), 0
    for row in table:
        require(row.count(0) <= MOST_IN_PLANE, "too many inputs in one hyperplane")
        for signs in product(*(((x > 0) - (x < 0),) if x else (1, -1) for x in row)):
            compared += len(row)
            require(compared <= MOST_COMPARED, "too many signs")
            if signs not in seen:
                seen.add(signs)
                compared += len(row) * len(table)
                yield [k for k, r in enumerate(table) if all(s * x >= 0 for s, x in zip(signs, r, strict=True))]


def _reduced(table: Sequence[Sequence[Fraction]]) -> tuple[list[list[Fraction]], list[int]]:
    """Reduced row echelon form without zero rows, and the columns of its leading ones."""
    left, done, leads = [list(row) for row in table], list[list[Fraction]](), list[int]()
    for k in range(len(left[0]) if left else 0):
        at = next((i for i, row in enumerate(left) if row[k]), None)
        if at is None:
            continue
        row = left.pop(at)
        row = [x / row[k] for x in row]
        left, done = (
            [[x - other[k] * y for x, y in zip(other, row, strict=True)] for other in part] for part in (left, done)
        )
        done.append(row)
        leads.append(k)
    return done, leads


def _pivots(table: Sequence[Sequence[Fraction]]) -> list[int]:
    return _reduced(table)[1]


def _normal(rows_of_plane: Sequence[Vector], size: int) -> list[Fraction] | None:
    """A vector orthogonal to size - 1 vectors, or None if these are dependent."""
    reduced, leads = _reduced(rows_of_plane)
    if len(leads) < size - 1:
        return None
    free = next(k for k in range(size) if k not in leads)
    normal = [Fraction(0)] * size
    normal[free] = Fraction(1)
    for row, lead in zip(reduced, leads, strict=True):
        normal[lead] = -row[free]
    return normal


KINDS = {
    "global-minimum": global_minimum,
}
