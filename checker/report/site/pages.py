"""Every file of the site, by its path: made from claims, findings and experiments alone,
the same bytes for the same ones.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from proof_of_absence.checker.kernel.obligation import Claim
from proof_of_absence.checker.report.draw import net_in, net_picture
from proof_of_absence.checker.report.overview import kinds
from proof_of_absence.checker.report.price_curve import curve_in, curve_picture
from proof_of_absence.checker.report.site import graph, manifest, search
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.coq_pages import address, pieces, told
from proof_of_absence.checker.report.site.coq_types import shown as types_shown
from proof_of_absence.checker.report.site.examine import Finding
from proof_of_absence.checker.report.site.prose import plain, prose
from proof_of_absence.checker.report.site.source import readable
from proof_of_absence.checker.report.site.status import LEGEND, Mark, finding_mark

__all__ = ["pages"]

# Of a longer certificate the page shows the beginning; the file beside it has all.
LONGEST = 60_000
STATIC = ("style.css", "copy.js", "fold.js", "hover.js", "search.js", "zoom.js")


def pages(site: Site) -> dict[str, bytes]:
    """The files of the site by their paths, "/" between folders.

    Raises
    ------
    ValueError
        If a formula of a claim is not understood.
    """
    environment = Environment(
        loader=PackageLoader("proof_of_absence.checker.report.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made: dict[str, bytes] = {}

    def page(path: str, template: str, **values: object) -> None:
        root = "../" * path.count("/")

        def link(name: str) -> str | None:
            if name in site.findings and site.findings[name].certificate is not None:
                return f"{root}certificates/{name}.html"
            return f"{root}claims/{name}.html" if name in site.graph else None

        environment.globals |= {"prose": lambda t: prose(t, link), "words": lambda t: plain(t, link)}
        text = environment.get_template(f"{template}.html.jinja").render(site=site, root=root, here=path, **values)
        made[path] = text.encode()

    sources = site.sources
    others = Counter(mark.key for marks in site.other_marks.values() for mark in marks)
    counts = Counter(mark.key for mark in site.marks.values())
    picture = Markup(graph.picture(site.graph, site.marks, site.other_marks, lambda name: f"claims/{name}.html"))
    page("index.html", "index", picture=picture, legend=LEGEND, counts=counts, others=others)
    page("countermodels.html", "countermodels")
    page("experiments.html", "experiments")
    page("names.html", "names", sources=sources, address=address)
    for i, claim in enumerate(site.claims):
        findings = [site.findings[o.id] for o in claim.obligations]
        drawn = [(finding, *found) for finding in findings if (found := _picture(finding))]
        made |= {f"pictures/{finding.obligation.id}.svg": svg.encode() for finding, svg, *_ in drawn}
        page(
            f"claims/{claim.id}.html", "claim", claim=claim, findings=findings, shown=_shown, drawn=drawn,
            rests=_rests(claim, site),
            coq=list(told(claim, site, sources)), needs=sorted(set().union(*(f.believed for f in findings))),
            before=site.claims[i - 1] if i else None,
            after=site.claims[i + 1] if i + 1 < len(site.claims) else None,
        )  # fmt: skip
        for finding in findings:
            made |= {f"certificates/{name}": data for name, data in finding.files.items()}
            if finding.certificate is not None:
                page(f"certificates/{finding.obligation.id}.html", "certificate", finding=finding, claim=claim,
                     shown=_shown(finding), texts=list(_texts(finding)))  # fmt: skip
    for name, source in sources.items():
        page(address("", name), "source", name=name, source=source, pieces=pieces(source), typed=name in site.types)
    for experiment in site.experiments:
        if experiment.result:
            made[f"experiments/{experiment.name}/result.json"] = experiment.result
        made |= {f"experiments/{experiment.name}/{name}": data for name, data, _ in experiment.plots}
    about = "what hover.js shows of Coq's names: by file and anchor, who says it, and the type or the sentence"
    made["types.js"] = search.assigned(about, "absenceTypes", types_shown(sources, site.types)).encode()
    made["entries.js"] = search.index(site).encode()
    made["manifest.json"] = manifest.text(site).encode()
    made["manifest.schema.json"] = manifest.schema_text().encode()
    for name in STATIC:
        made[name] = (files("proof_of_absence.checker.report.site") / "templates" / name).read_bytes()
    return dict(sorted(made.items()))


def _rests(claim: Claim, site: Site) -> Markup | None:
    """The picture of all that a claim rests on; None where that is nothing, and for countermodels, which have none."""
    if claim.drops or not claim.rests_on:
        return None
    title = f"All that {claim.id} rests on"
    desc = "Each box is a link to a claim's page. An arrow leads from a claim to one that rests on it."
    part = graph.below(site.graph, claim.id)
    return Markup(graph.picture(part, site.marks, site.other_marks, lambda name: f"{name}.html", title, desc))


@dataclass(frozen=True)
class Shown:
    """A row of the table of obligations: verdict as a word and a mark, by what it was decided, how long that took."""

    word: str
    mark: Mark
    by: str
    time: str


def _shown(finding: Finding) -> Shown:
    certificate = finding.certificate
    if certificate is None:
        return Shown(finding.state.value, finding_mark(finding), "–", "–")
    word = "refuted, as it must" if finding.obligation.is_control else "proved"
    runs = certificate["runs"]
    by = ", ".join(f"{run['solver']} {run['version']}" for run in runs)
    time = f"{sum(run['seconds'] for run in runs):.2f} s" if runs else "not timed"
    found = sorted(kinds(certificate["fact"]) - {"all"})
    return Shown(word, finding_mark(finding), by or f"exact arithmetic: {', '.join(found)}", time)


def _picture(finding: Finding) -> tuple[str, tuple[str, ...], str] | None:
    """The picture of the prices or the net in a certificate, its width and height in pixels, what it shows in words."""
    if finding.certificate is None:
        return None
    if curve := curve_in(finding.certificate["fact"]):
        svg = curve_picture(curve)
        return svg, _size(svg), "The price of moving the answer by where and how far, up and down; 0 is free"
    try:
        net, circuit = net_in(finding.certificate["fact"])
    except LookupError:
        return None
    units = ", ".join(f"{unit.index} of layer {unit.layer}" for unit in sorted(circuit))
    marked = f"circuit: unit {units}" if circuit else "no circuit is marked"
    svg = net_picture(net, circuit)
    return svg, _size(svg), f"A net of {'-'.join(map(str, net.widths))} units; {marked}"


def _size(svg: str) -> tuple[str, ...]:
    return tuple(re.search(rf' {side}="(\d+)"', svg).group(1) for side in ("width", "height"))


def _texts(finding: Finding) -> Iterator[tuple[str, str, int]]:
    """Name, text and full length of the certificate's readable files, each cut to `LONGEST` characters."""
    for name, data in finding.files.items():
        if name.endswith(".json"):
            text = readable(finding.certificate)
        elif name.endswith(".smt2"):
            text = data.decode()
        else:
            continue
        yield name, text[:LONGEST], len(text)
