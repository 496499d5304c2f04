"""What a site is made of, and what follows from it for all pages: statuses, counts, what is missing or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx

from proof_of_absence.checker.kernel.claims import Status, claim_graph, necessity, statuses
from proof_of_absence.checker.kernel.obligation import Claim, Scope
from proof_of_absence.checker.report.site.definitions import Source, read
from proof_of_absence.checker.report.site.examine import Finding, State
from proof_of_absence.checker.report.site.experiments import Experiment
from proof_of_absence.checker.report.site.status import Mark, mark_of, other_marks

__all__ = ["Site"]


@dataclass(frozen=True)
class Site:
    """What the site is made of. `solved`: unsat answers and theorems were put to solvers and Coq again for it.

    `notes`: where coqc found each name of the accepted theorems' sources to be stated (see `definitions.notes`).
    `types`: what Coq says that these names are (see `coq_types.types`).
    """

    claims: tuple[Claim, ...]
    findings: dict[str, Finding]
    experiments: tuple[Experiment, ...] = ()
    solved: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def graph(self) -> nx.DiGraph:
        """The graph of what rests on what."""
        return claim_graph(self.claims)

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """Each claim's status, from the findings."""
        return {claim.id: mark_of(claim, self._statuses[claim.id]) for claim in self.claims}

    @cached_property
    def other_marks(self) -> dict[str, tuple[Mark, ...]]:
        """For each claim that is proved the other scopes in which something of it is."""
        return {claim.id: other_marks(claim, self._statuses[claim.id]) for claim in self.claims}

    @cached_property
    def _statuses(self) -> dict[str, Status]:
        return statuses(self.claims, {name: finding.verdict for name, finding in self.findings.items()})

    @cached_property
    def necessity(self) -> dict[str, dict[str, list[Claim]]]:
        """Each premise with the countermodels that drop it."""
        return necessity(self.claims)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The Coq files of the accepted theorems by their names, each after those that it uses."""
        texts: dict[str, str] = {}
        for finding in self.findings.values():
            files = {name: data for name, data in finding.files.items() if name.endswith(".v")}
            texts |= {name.removeprefix("coq/"): data.decode() for name, data in files.items()}
        return read(texts, self.notes)

    @property
    def open_ends(self) -> list[Finding]:
        """What is missing or refused."""
        return [finding for finding in self.findings.values() if finding.state is not State.ACCEPTED]

    @property
    def refused_results(self) -> list[Experiment]:
        """Experiments whose result is not what was sealed."""
        return [experiment for experiment in self.experiments if experiment.refused]

    def count(self) -> list[tuple[Scope, int, int, int]]:
        """For each scope its obligations, those accepted, and how many of these are controls that were refuted."""
        rows = []
        for scope in Scope:
            found = [f for f in self.findings.values() if f.obligation.scope is scope]
            accepted = [f for f in found if f.state is State.ACCEPTED]
            rows.append((scope, len(found), len(accepted), sum(f.obligation.is_control for f in accepted)))
        return rows

    def claim(self, name: str) -> Claim:
        """The claim of that name."""
        found: Claim = self.graph.nodes[name]["claim"]
        return found

    def used_by(self, claim: Claim) -> list[str]:
        """The claims that rest on it, in order."""
        return [other.id for other in self.claims if claim.id in other.rests_on]
