"""`absence audit` of a network that is no chain of dense layers: audit it, show it, write its folder."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.graph.certify import Audited
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.graph.findings import GraphAudit
from proof_of_absence.checker.graph.folder import write_folder
from proof_of_absence.checker.graph.held import changeable_in
from proof_of_absence.checker.kernel.fuller import FullerReport
from proof_of_absence.checker.kernel.kept import content_key, sources
from proof_of_absence.checker.kernel.stages import STAGES
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.whole import Owner
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.objective import Objective
from proof_of_absence.models.reading import Source

__all__ = ["Asked", "audit_graph"]

# Seconds to write a byte of arrays, and a unit's states as text, as measured; and what else there is to write.
BYTE, UNIT, ELSE = 1e-8, 2e-5, 0.3


@dataclass(frozen=True, eq=False)
class Asked:
    """What is audited: inputs (N, d), the loss and its targets, deployment inputs (D, d), boxes, and their sources.

    `model` is what the graph was read from: the path of a file, or a module of torch. `move` is by how much an answer
    is moved, for its readout price.
    """

    graph: Graph
    inputs: np.ndarray
    aim: Objective
    deploy: np.ndarray | None = None
    regions: tuple[Region, ...] = ()
    source: Source | None = None
    data_source: Source | None = None
    deploy_source: Source | None = None
    model: Any = None
    move: Fraction | None = None

    @property
    def key(self) -> str:
        """A digest of all that is asked, and of this program."""
        boxes = (part for box in self.regions for part in (box.name, box.bounds))
        arrays = ("" if array is None else array for array in (self.aim.targets, self.deploy))
        return content_key(sources(), self.graph, self.inputs, self.aim.loss, *arrays, self.move, *boxes)


def audit_graph(
    asked: Asked,
    deadline: Deadline,
    folder: Path | None,
    owner: Owner | None,
    *,
    improved: Path | None = None,
    force: bool = False,
    progress: Callable[[str], None] = lambda stage: None,
) -> tuple[GraphAudit, FullerReport | None]:
    """Audit a graph and, if there is a folder, write it; `owner` is what that is marked with, and `improved` where a
    network with a lower loss is to lie, by default in the folder.

    An earlier report in the folder that decided more stands: it is then the second part of what comes back.

    Raises
    ------
    InputError
        If the arrays do not fit the graph, or the folder holds files of others.
    OSError
        If a file cannot be written.
    """
    if folder is not None:
        deadline = deadline.sooner(deadline.left() - min(_writing(asked), deadline.left() / 2))
    keep = None if folder is None else folder / STAGES
    audit = examine(
        asked.graph, asked.inputs, asked.aim, deploy=asked.deploy, regions=asked.regions, source=asked.source,
        data_source=asked.data_source, deadline=deadline, progress=progress, move=asked.move, keep=keep,
        changeable=None if asked.aim.loss is None else changeable_in(asked.model, asked.graph),
    )  # fmt: skip
    if folder is None or owner is None:
        return audit, None
    progress("writing")
    audited = Audited(audit, asked.graph, asked.inputs, asked.aim.targets, asked.deploy, asked.deploy_source)
    like = Path(asked.model) if isinstance(asked.model, str | os.PathLike) else None
    try:
        told = write_folder(folder, audited, owner, like=like, improved=improved, asked=asked.key, force=force)
    except FullerReport as fuller:
        return audit, fuller
    return told, None


def _writing(asked: Asked) -> float:
    """About how long it takes to write the folder, in seconds."""
    arrays = [asked.inputs, asked.aim.targets, asked.deploy]
    size = sum(array.nbytes for array in arrays if array is not None) + 8 * asked.graph.parameter_count
    units = sum(asked.graph.sizes[node] for node in asked.graph.activations)
    return ELSE + BYTE * size + UNIT * units
