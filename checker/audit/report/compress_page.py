"""What `absence harden --compress` did besides, in the terminal."""

from collections import Counter

import numpy as np
from rich.console import Group
from rich.text import Text

from proof_of_absence.checker.audit.compress import Compressed
from proof_of_absence.checker.audit.report.words import count
from proof_of_absence.checker.region.bounds import round_down, round_up
from proof_of_absence.checker.region.boxes import Region

__all__ = ["compress_page"]


def compress_page(found: Compressed, inputs: np.ndarray) -> Group:
    """The new widths, how many units went and why, what was left, and which training inputs lie outside the box."""
    old, new = (" x ".join(map(str, net.widths)) for net in (found.before, found.net))
    how = Counter(removal.how for removal in found.removed)
    where = "at every input" if found.region is None else f"in {found.region.name}"
    hidden = sum(found.before.widths[1:-1])
    lines = [
        Text(f"Compressed: {old} became {new}.", "bold green"),
        Text(f"Over the reals its outputs are those of the hardened net {where}."),
        Text(f"{count(how['empty'], 'unit')} sent nothing."),
    ]
    if found.region is not None:
        lines += [
            Text(f"{count(how['off'], 'unit')} never active there, {how['merged']} active all over it and merged."),
            Text(_stable(found, hidden)),
        ]
    if found.edits is not None and found.region is not None:
        lines.append(Text("None is merged, since the file lists several operators for a layer."))
    if found.left:
        lines.append(
            Text(f"{count(len(found.left), 'unit')} could be merged but for weights that no {found.net.dtype} holds.")
        )
    if outside := _outside(found.region, inputs):
        lines.append(Text(f"{count(outside, 'training input')} outside the box: there an output may differ.", "yellow"))
    return Group(*lines, "")


def _stable(found: Compressed, hidden: int) -> str:
    known = found.stability
    told = f"Of {hidden} hidden units {found.stable} are shown to be one or the other"
    if known.searched:
        told += f", {len(known.searched)} of them by search"
    if known.varying or known.undecided:
        told += f"; {known.varying} are on at one input there and off at another"
    if known.undecided:
        listed = ", ".join(f"{unit.layer}.{unit.index}" for unit in known.undecided[:8])
        more = ", ..." * (len(known.undecided) > 8)
        told += f"; {len(known.undecided)} are undecided, and kept ({listed}{more}): more --seconds may decide them"
    return told + "."


def _outside(region: Region | None, inputs: np.ndarray) -> int:
    """How many inputs are not in the box, exactly: no float lies between an end and the end rounded into the box."""
    if region is None:
        return 0
    low, high = zip(*region.bounds, strict=True)
    below, above = inputs < [round_up(x) for x in low], inputs > [round_down(x) for x in high]
    return int((below | above).any(axis=1).sum())
