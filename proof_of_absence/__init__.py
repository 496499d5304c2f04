"""Machine-checked absence of separable shift detectors: claims, proofs, an audit of trained nets, a training callback.

Importing this loads nothing else; a name is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proof_of_absence.checker.audit.callback import Reassignment
    from proof_of_absence.checker.audit.entry import audit
    from proof_of_absence.checker.audit.findings import Audit
    from proof_of_absence.checker.audit.harden_entry import harden
    from proof_of_absence.checker.kernel.obligation import Claim
    from proof_of_absence.models.circuit import Unit
    from proof_of_absence.models.data import Dataset
    from proof_of_absence.models.files import InputError, read_net
    from proof_of_absence.models.files.torch_graph_write import state_dict_of
    from proof_of_absence.models.floatnet import FloatNet
    from proof_of_absence.models.layers import Affine, Layer
    from proof_of_absence.models.net import MLP
else:
    # Where each name is.
    _HOMES = {
        "Affine": "models.layers",
        "Audit": "checker.audit.findings",
        "Claim": "checker.kernel.obligation",
        "Dataset": "models.data",
        "FloatNet": "models.floatnet",
        "InputError": "models.files",
        "Layer": "models.layers",
        "MLP": "models.net",
        "Reassignment": "checker.audit.callback",
        "Unit": "models.circuit",
        "audit": "checker.audit.entry",
        "harden": "checker.audit.harden_entry",
        "read_net": "models.files",
        "state_dict_of": "models.files.torch_graph_write",
    }

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module 'proof_of_absence' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"proof_of_absence.{_HOMES[name]}"), name)


__all__ = [
    "MLP",
    "Affine",
    "Audit",
    "Claim",
    "Dataset",
    "FloatNet",
    "InputError",
    "Layer",
    "Reassignment",
    "Unit",
    "audit",
    "harden",
    "read_net",
    "state_dict_of",
]
