"""The statuses that pages show, each with a word, a colour (a class of style.css) and a shape,
so that none depends on colour alone.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

from proof_of_absence.checker.kernel.claims import Status
from proof_of_absence.checker.kernel.obligation import REACHES, Claim, Verdict
from proof_of_absence.checker.report.overview import scopes
from proof_of_absence.checker.report.site.examine import Finding, State

__all__ = ["LEGEND", "PROVED", "Mark", "finding_mark", "mark_of", "other_marks"]


@dataclass(frozen=True)
class Mark:
    """A status: its class, its word, what it means, and its shape as an SVG element on a square from -7 to 7."""

    key: str
    word: str
    meaning: str
    shape: tuple[str, dict[str, str]]

    def element(self, **attributes: str) -> ElementTree.Element:
        """The shape as an SVG element."""
        tag, shape = self.shape
        return ElementTree.Element(tag, shape | {"class": "shape"} | attributes)

    def svg(self) -> str:
        """The shape as a picture of its own; the word beside it says the same."""
        root = ElementTree.Element(
            "svg",
            {
                "class": f"mark {self.key}",
                "viewBox": "-9 -9 18 18",
                "width": "16",
                "height": "16",
                "aria-hidden": "true",
            },
        )
        root.append(self.element())
        return ElementTree.tostring(root, encoding="unicode")


_UNIVERSAL = Mark(
    "universal", "proved, universal", "for all sizes, by the Coq kernel, from no axiom", ("circle", {"r": "6"})
)
_CLASSICAL = Mark(
    "classical", "proved, universal (classical)",
    "for all sizes, by the Coq kernel, from the three axioms of mathcomp's real numbers",
    ("path", {"d": "M-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0zM-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
              "fill-rule": "evenodd"}),
)  # fmt: skip
_CONDITIONAL = Mark(
    "conditional", "proved, conditional",
    "for all sizes, by the Coq kernel, from no axiom, but for functions of which some properties are premises",
    ("path", {"d": "M-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0-13 0zM0-4.5a4.5 4.5 0 0 0 0 9z", "fill-rule": "evenodd"}),
)  # fmt: skip
_BOUNDED = Mark(
    "bounded", "proved, bounded", "for all real parameters at stated small sizes, by z3 and cvc5, which must agree",
    ("rect", {"x": "-6", "y": "-6", "width": "12", "height": "12"}),
)  # fmt: skip
_INSTANCE = Mark(
    "instance", "proved, instance",
    "exactly, on given nets and data; a countermodel needs no more to be one",
    ("path", {"d": "M0-7.5L7.5 0 0 7.5-7.5 0z"}),
)  # fmt: skip
_OPEN = Mark(
    "open", "not checked", "some certificate of it is missing here; nothing is said of whether it holds",
    ("circle", {"r": "5.5"}),
)  # fmt: skip
_BLOCKED = Mark(
    "blocked", "blocked", "its own obligations are done, but a claim it rests on is not proved here",
    ("path", {"d": "M-7-3H7V3H-7z"}),
)  # fmt: skip
_REFUSED = Mark(
    "refused", "refused", "the independent checker refuses some certificate of it, or a control came out proved",
    ("path", {"d": "M0-7.5L8 6.5H-8z"}),
)  # fmt: skip
_REFUTED = Mark(
    "refuted", "refuted", "an obligation that must be proved came out refuted",
    ("path", {"d": "M-6-6L6 6M6-6L-6 6"}),
)  # fmt: skip
PROVED = dict(zip(REACHES, (_UNIVERSAL, _CONDITIONAL, _CLASSICAL, _BOUNDED, _INSTANCE), strict=True))
LEGEND = (*PROVED.values(), _OPEN, _BLOCKED, _REFUSED, _REFUTED)


def mark_of(claim: Claim, status: Status) -> Mark:
    """The mark of a claim. A proved one has that of its widest scope; its page says which obligation has which."""
    match status.closed:
        case Verdict.PROVED:
            return PROVED[scopes(claim)[0]]
        case Verdict.UNKNOWN:
            return _OPEN
        case Verdict.BLOCKED:
            return _BLOCKED
        case Verdict.REFUTED:
            return _REFUTED
    return _REFUSED


def other_marks(claim: Claim, status: Status) -> tuple[Mark, ...]:
    """The marks of the other scopes in which obligations of a proved claim hold, widest first."""
    if status.closed is not Verdict.PROVED:
        return ()
    return tuple(PROVED[reach] for reach in scopes(claim)[1:])


def finding_mark(finding: Finding) -> Mark:
    """The mark of an obligation: that of its scope, if its certificate is accepted."""
    if finding.certificate is not None:
        return PROVED[finding.obligation.reach]
    return _OPEN if finding.state is State.MISSING else _REFUSED
