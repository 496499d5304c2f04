"""`absence scale`: what the parameters of a detector are worth by a measured scaling law,
and what that means for a large model.

Writes result.json, whose facts the independent checker re-checks, and a plot. It takes seconds, and
starts anew if interrupted.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from proof_of_absence.checker.experiments.place import owned
from proof_of_absence.checker.experiments.scale.tax import tax, tax_fact, threshold, threshold_fact
from proof_of_absence.checker.independent.results.experiment import FORMAT, NAME
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.kept import versions
from proof_of_absence.checker.screen.terminal import (
    Force,
    ResultFolder,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.disk import refused, write
from proof_of_absence.models.files.whole import replacing
from proof_of_absence.models.scaling import LAWS, RESOLUTION, ScalingLaw, Spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["experiment", "scale_command"]

# Numbers of parameters; the models are those of table 1 of Hoffmann et al. 2022.
SIZES = {
    10**8: "",
    10**9: "",
    10**10: "",
    70 * 10**9: "Chinchilla",
    175 * 10**9: "GPT-3",
    280 * 10**9: "Gopher",
    530 * 10**9: "MT-NLG",
    10**12: "",
}
DETECTORS = tuple(10**k for k in (3, 5, 6, 7, 8, 9))
LARGEST = 10**15
STYLES = ("-", "--")
SCOPE = (
    "A measured law, not a proof: a curve fitted to the losses that training runs of transformers reached, "
    "extrapolated. It stands in for L*(n) of C11, which is an infimum, and the detector's parameters are priced as the "
    "last k of N. The arithmetic is exact."
)
# What is given the work as a list, and yields it as it is wanted.
Wanted = tuple[ScalingLaw, int | None]
Watch = Callable[[list[Wanted]], Iterable[Wanted]]
_COUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,16})?(e\+?[0-9]{1,2})?", re.IGNORECASE)
_NATS = re.compile(r"[0-9]{1,16}(\.[0-9]{1,16})?(e[+-]?[0-9]{1,2})?", re.IGNORECASE)


def scale_command(
    parameters: Annotated[str, typer.Option("--parameters", help="Parameters of the model.")] = "70e9",
    tokens: Annotated[str, typer.Option("--tokens", help="Tokens it is trained on.")] = "1.4e12",
    detector: Annotated[str, typer.Option("--detector", help="Parameters of the detector.")] = "1e6",
    law: Annotated[list[str] | None, typer.Option("--law", help=f"{' or '.join(LAWS)}; both if not given.")] = None,
    resolution: Annotated[
        str | None,
        typer.Option("--resolution", help="By how many nats a token equal training runs differ.", show_default="0.002"),
    ] = None,
    output: ResultFolder = Path("build/experiments/scale"),
    force: Force = False,
) -> None:
    """Price a detector's parameters by published scaling laws, for a model of any size: measured, not proved."""
    with needs("plots"):
        from proof_of_absence.checker.screen import plots
    to_folder(output)
    with ending(output, "no result is written."):
        size, data, part = (
            _count(name, text)
            for name, text in (("--parameters", parameters), ("--tokens", tokens), ("--detector", detector))
        )
        if part >= size:
            raise refused(f"--detector {detector}", "leaves no parameter of the model; name a smaller one")
        laws = [_law(name) for name in dict.fromkeys(law or LAWS)]
        spread = RESOLUTION if resolution is None else Spread(_nats(resolution), "as given with --resolution")
        settings = [[size, data, part], [chosen.name for chosen in laws], str(spread.nats)]
        owner = owned(output, "scale", settings, force=force)
        with progress() as bar:
            result = experiment(
                laws, size, data, part, spread, watch=lambda wanted: bar.track(wanted, description="scaling")
            )
        with replacing(output, owner, force=force) as new:
            plots.save(_picture(laws, spread.nats), new / "tax")
            write(new / NAME, (json.dumps(result, indent=1, ensure_ascii=False) + "\n").encode())
    for chosen in laws:
        console.print(_table(result, chosen, spread.nats), "")
    for sentence in (*result["conclusion"], SCOPE):
        console.print(sentence, highlight=False, markup=False)
    say(f"Result and plot in {output}; `absence check {output}` re-checks {len(result['facts'])} facts")


def experiment(
    laws: Sequence[ScalingLaw], parameters: int, tokens: int, detector: int, spread: Spread, *, watch: Watch = iter
) -> dict[str, Any]:
    """The sealed result: facts about the asked model and detector, about the tables' ones, and what follows, in words.

    `watch` is given the facts to be made as a list, and yields them as they are wanted.
    """
    facts: dict[str, dict[str, Any]] = {}
    wanted: list[Wanted] = [(law, size) for law in laws for size in (None, *SIZES)]
    for law, size in watch(wanted):
        if size is None:
            facts |= _asked(law, parameters, tokens, detector, spread.nats)
            continue
        facts |= {f"{law.name}.{size}.{k}": tax_fact(law, size, tokens, k, digits=4) for k in DETECTORS if k < size}
        if threshold(law, size, spread.nats) is not None:
            facts[f"{law.name}.{size}.threshold"] = threshold_fact(law, size, spread.nats)
    return seal(
        {
            "format": FORMAT,
            "experiment": "scale",
            "scope": SCOPE,
            "parameters": parameters,
            "tokens": tokens,
            "detector": detector,
            "resolution": {"nats": str(spread.nats), "source": spread.source},
            "laws": {law.name: law.source for law in laws},
            "versions": versions("python-flint"),
            "facts": facts,
            "conclusion": _words(laws, facts, spread),
        }
    )


def _asked(law: ScalingLaw, parameters: int, tokens: int, detector: int, nats: Fraction) -> dict[str, dict[str, Any]]:
    worth = tax(law, parameters, detector)
    below, above = (nats if decided else None for decided in (worth.high < nats, worth.low > nats))
    facts = {f"{law.name}.asked": tax_fact(law, parameters, tokens, detector, below=below, above=above)}
    if threshold(law, parameters, nats) is not None:
        facts[f"{law.name}.threshold"] = threshold_fact(law, parameters, nats)
    return facts


def _words(laws: Sequence[ScalingLaw], facts: dict[str, dict[str, Any]], spread: Spread) -> list[str]:
    """The plain conclusion, from the facts."""
    resolved, said = _nats_text(spread.nats), []
    for law in laws:
        asked, least = facts[f"{law.name}.asked"], facts.get(f"{law.name}.threshold")
        if least:
            share = 100 * least["detector"] / least["parameters"]
            needed = f"to be worth more than {resolved} a detector needs {least['detector']:,}, {share:.2g} % of them"
        else:
            needed = f"no detector in it is worth more than {resolved}"
        said.append(
            f"{_authors(law)}: {asked['detector']:,} of {asked['parameters']:,} parameters are worth "
            f"{_nats_text(asked['tax'])} nats a token, of a loss of {float(asked['loss']):.3f}; {needed}."
        )
    taxes = [facts[f"{law.name}.asked"] for law in laws]
    worth = _nats_text(min(float(fact["tax"]) for fact in taxes))
    said.append(
        "By C11 a model with an idle detector is at least its tax above the least loss of the class. So the theorem "
        f"excludes one of this size only from models trained to within {worth} of the least loss."
    )
    runs = f"equal training runs vary by {resolved} ({spread.source})"
    if all("below" in fact for fact in taxes):
        said.append(
            f"Training does not come to that: {runs}, and of two that differ by so much the worse is at least so far "
            "above the least loss. The premise, an exact minimum or one up to less than the tax, is not met by such "
            "runs, and the theorem alone says nothing of such a detector in such a model."
        )
    elif all("above" in fact for fact in taxes):
        said.append(
            f"That is more than what is lost between runs: {runs}. How far the best of them is above the least loss is "
            "not known."
        )
    return said


def _authors(law: ScalingLaw) -> str:
    return law.source.partition(",")[0]


def _nats_text(value: Fraction | float | str) -> str:
    return f"{float(value):.3g}"


def _table(result: dict[str, Any], law: ScalingLaw, nats: Fraction) -> Table:
    table = Table(title=f"Nats a token that k parameters are worth, {_authors(law)}", header_style="bold", box=None)
    for column in ("N", "", *(f"k = {_short(k)}" for k in DETECTORS), f"worth over {float(nats):.3g}"):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    facts = result["facts"]
    for size, name in SIZES.items():
        cells = [facts.get(f"{law.name}.{size}.{k}") for k in DETECTORS]
        least = facts.get(f"{law.name}.{size}.threshold")
        table.add_row(
            _short(size),
            name,
            *(f"{float(cell['tax']):.2e}" if cell else "-" for cell in cells),
            f"k = {least['detector']:.3g}" if least else "no k",
        )
    return table


def _short(count: int) -> str:
    exponent = len(str(count)) - 1
    digits = str(count).rstrip("0")
    return f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e{exponent}"


def _picture(laws: list[ScalingLaw], nats: Fraction) -> "Figure":
    """Tax against detector, both logarithmic: colours for model sizes, line styles for laws,
    a band for what is not resolved.
    """
    from proof_of_absence.checker.screen import plots

    drawn, (axes,) = plots.figure()
    for colour, size in zip(plots.COLOURS, (10**8, 10**9, 10**10, 70 * 10**9, 10**12), strict=False):
        sizes = sorted({round(10 ** (k / 8)) for k in range(24, int(8 * log10(size)))})
        for law, style in zip(laws, STYLES, strict=False):
            worth = [float(tax(law, size, k).low) for k in sizes]
            axes.plot(sizes, worth, style, color=colour, linewidth=1.2)
        axes.annotate(
            f"N = {_short(size)}", (sizes[0], worth[0]), xytext=(-4, 0), textcoords="offset points", color=colour,
            ha="right", va="center", fontsize=8,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("parameters k of the detector")
    axes.set_ylabel("L(N − k, D) − L(N, D), nats a token")
    bottom = axes.get_ylim()[0]
    axes.set_xlim(left=20)
    axes.axhspan(bottom, float(nats), color="0.5", alpha=0.15, linewidth=0)
    axes.set_ylim(bottom=bottom)
    axes.annotate(
        f"grey: less than the {float(nats):.3g}\nby which equal runs vary",
        (0.02, 0.98), xycoords="axes fraction", ha="left", va="top", fontsize=8,
    )  # fmt: skip
    for law, style in zip(laws, STYLES, strict=False):
        axes.plot([], [], style, color="black", linewidth=1.2, label=_authors(law))
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return drawn


def _count(name: str, text: str) -> int:
    value = Fraction(text) if _COUNT.fullmatch(text) else Fraction(1, 2)
    if value.denominator != 1 or not 1 <= value <= LARGEST:
        raise refused(f"{name} {text}", f"is no whole number from 1 to {LARGEST:.0e}; write one such as 70e9")
    return int(value)


def _nats(text: str) -> Fraction:
    value = Fraction(text) if _NATS.fullmatch(text) else Fraction(0)
    if value <= 0:
        raise refused(f"--resolution {text}", "is no positive number of nats; write one such as 0.002")
    return value


def _law(name: str) -> ScalingLaw:
    if name not in LAWS:
        raise refused(f"--law {name}", f"is not known; choose {' or '.join(LAWS)}")
    return LAWS[name]
