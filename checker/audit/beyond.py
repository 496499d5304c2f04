"""What has no part in the audit of a network that is no chain of dense layers: refused in one line, before any work."""

from collections.abc import Mapping

from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.graph import Graph

__all__ = ["no_part"]


def no_part(net: Graph, given: Mapping[str, object]) -> None:
    """Refuse options, by their names, that were given and are for dense chains.

    Raises
    ------
    InputError
        If one is neither None nor empty.
    """
    for name, value in given.items():
        if value is not None and value is not False:
            layers = ", ".join(dict.fromkeys(type(node.layer).__name__ for node in net.nodes))
            raise refused(name, f"is for chains of dense layers, and this network has {layers}; leave it out")
