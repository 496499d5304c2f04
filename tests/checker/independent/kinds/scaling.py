"""What is said of scaling laws, in floating point of 80 digits."""

import mpmath

from tests.checker.independent.kinds.read import real


def powers_are(fact, wanted):
    """Whether the stated bounds of each power, which are positive, hold it."""
    return all(
        0 < real(low) <= mpmath.mpf(base) ** -real(fact["law"][exponent]) <= real(high)
        for (low, high), (base, exponent) in ((fact["powers"][name], power) for name, power in wanted.items())
    )


def rounds(value, text) -> bool:
    digits, exponent = text.split("e")
    unit = mpmath.mpf(10) ** (int(exponent) - len(digits.partition(".")[2]))
    return abs(value - real(text)) <= unit / 2


def scaling_tax(fact):
    law, whole, detector = fact["law"], fact["parameters"], fact["detector"]
    if not 0 < detector < whole or fact["tokens"] < 1 or any(real(value) <= 0 for value in law.values()):
        return False
    with mpmath.workdps(80):
        wanted = {"whole": (whole, "alpha"), "left": (whole - detector, "alpha"), "tokens": (fact["tokens"], "beta")}
        ends = [[real(end) for end in fact["powers"][name]] for name in wanted]
        taxes = [real(law["capacity"]) * (ends[1][i] - ends[0][1 - i]) for i in (0, 1)]
        losses = [
            real(law["irreducible"]) + real(law["capacity"]) * ends[0][i] + real(law["data"]) * ends[2][i]
            for i in (0, 1)
        ]
        return (
            powers_are(fact, wanted)
            and all(rounds(tax, fact["tax"]) for tax in taxes)
            and all(rounds(loss, fact["loss"]) for loss in losses)
            and ("below" not in fact or taxes[1] < real(fact["below"]))
            and ("above" not in fact or taxes[0] > real(fact["above"]))
        )


def scaling_threshold(fact):
    law, whole, detector = fact["law"], fact["parameters"], fact["detector"]
    if not 0 < detector < whole or any(real(value) <= 0 for value in law.values()):
        return False
    with mpmath.workdps(80):
        sizes = {"whole": whole, "left": whole - detector, "fewer": whole - detector + 1}
        ends = {name: [real(end) for end in fact["powers"][name]] for name in sizes}
        worth = real(law["capacity"]) * (ends["left"][0] - ends["whole"][1])
        less = real(law["capacity"]) * (ends["fewer"][1] - ends["whole"][0])
        return powers_are(fact, {name: (size, "alpha") for name, size in sizes.items()}) and (
            worth > real(fact["tolerance"]) > 0 and (detector == 1 or less <= real(fact["tolerance"]))
        )


SAYS = {
    "scaling-tax": scaling_tax,
    "scaling-threshold": scaling_threshold,
}
