"""That a net has the least loss; the certificate is made with the minimum, in `checker.minima.branch_and_bound`."""

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.minima.branch_and_bound import Minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Fact

__all__ = ["minimal"]


def minimal(minimum: Minimum, data: Dataset, net: MLP | None = None) -> Fact:
    """That the minimiser found, or another net of its class with the same loss, has the least loss."""
    return minimum.fact(net_json(net or minimum.net), data_json(data))
