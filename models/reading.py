"""How a network was read: its layers in words, what stands between them, and where that knowledge comes from.

And where it, or data, came from.
"""

from dataclasses import dataclass

__all__ = ["LOSS", "Reading", "Source"]

# Of a net whose last Softmax is left off.
LOSS = "Such a net is trained on cross-entropy as a rule; the squared error of its logits is another loss."


@dataclass(frozen=True)
class Reading:
    """What a reader took a network for, so that a report can say it.

    Parameters
    ----------
    layers
        The operators in order, a few words each, as the source names them.
    activation
        What stands between two affine maps.
    known_from
        Where that knowledge comes from: ``the graph``, ``the module``, or ``an assumption`` and whose it is.
    notes
        What else was decided in reading, a sentence each.
    cut
        The operator at the end that was left off, such as ``Softmax``; empty where the outputs are the source's own.
    multiplied
        Whether some layer is the exact product of several maps, which the source evaluates one after the other: then
        no bound of what floats do in the layers as they are here holds for the source.
    """

    layers: tuple[str, ...]
    activation: str
    known_from: str
    notes: tuple[str, ...] = ()
    cut: str = ""
    multiplied: bool = False


@dataclass(frozen=True)
class Source:
    """Where a net or data came from, for a report: a file's name and SHA-256."""

    name: str
    sha256: str
