"""Facts in the form that the independent checker reads: a module for each family, a typed producer for each kind.

Those that are made with their proofs have their producers in `checker/`; tests/test_stems.py has the table.
"""

from proof_of_absence.proofs.facts.activations import relu_apart, relu_like
from proof_of_absence.proofs.facts.bends import bends
from proof_of_absence.proofs.facts.box_posterior import box_posterior
from proof_of_absence.proofs.facts.class_census import census
from proof_of_absence.proofs.facts.confinement import alternation, covered, crossed_boxes, grid_cost, line_gaps
from proof_of_absence.proofs.facts.conjunction import every
from proof_of_absence.proofs.facts.cross_entropy import cross_entropy_drop, cross_entropy_floor
from proof_of_absence.proofs.facts.defection import priced, prices
from proof_of_absence.proofs.facts.detection import detector
from proof_of_absence.proofs.facts.global_minimum import minimal
from proof_of_absence.proofs.facts.gradient_descent import gradient_steps
from proof_of_absence.proofs.facts.idleness import idle, no_idle_circuit, not_idle
from proof_of_absence.proofs.facts.lines import best_line, line_bound
from proof_of_absence.proofs.facts.logistic import logistic_drop, logistic_floor, logistic_group
from proof_of_absence.proofs.facts.norms import decay_bound, path_norm_minimum
from proof_of_absence.proofs.facts.outputs import compare_outputs, different_outputs, same_outputs, smaller_class
from proof_of_absence.proofs.facts.policies import policy_excess, policy_losses, policy_net
from proof_of_absence.proofs.facts.posterior_mass import crossover, posterior
from proof_of_absence.proofs.facts.quantised import least_in_class
from proof_of_absence.proofs.facts.readout import free_readout, leverage_at, readout_price
from proof_of_absence.proofs.facts.regression import ridge
from proof_of_absence.proofs.facts.rents import almost_idle, rent
from proof_of_absence.proofs.facts.sampling import Sampling, sample_chance
from proof_of_absence.proofs.facts.separation import nothing_separates, separating_unit
from proof_of_absence.proofs.facts.squared_loss import loss_above_floor, loss_at_floor, lower_loss, reassigned
from proof_of_absence.proofs.facts.weight_decay import convex_training, decay_drop
from proof_of_absence.proofs.facts.zero_one import zero_one_loss

__all__ = [
    "Sampling",
    "almost_idle",
    "alternation",
    "bends",
    "best_line",
    "box_posterior",
    "census",
    "compare_outputs",
    "convex_training",
    "covered",
    "cross_entropy_drop",
    "cross_entropy_floor",
    "crossed_boxes",
    "crossover",
    "decay_bound",
    "decay_drop",
    "detector",
    "different_outputs",
    "every",
    "free_readout",
    "gradient_steps",
    "grid_cost",
    "idle",
    "least_in_class",
    "leverage_at",
    "line_bound",
    "line_gaps",
    "logistic_drop",
    "logistic_floor",
    "logistic_group",
    "loss_above_floor",
    "loss_at_floor",
    "lower_loss",
    "minimal",
    "no_idle_circuit",
    "not_idle",
    "nothing_separates",
    "path_norm_minimum",
    "policy_excess",
    "policy_losses",
    "policy_net",
    "posterior",
    "priced",
    "prices",
    "readout_price",
    "reassigned",
    "relu_apart",
    "relu_like",
    "rent",
    "ridge",
    "same_outputs",
    "sample_chance",
    "separating_unit",
    "smaller_class",
    "zero_one_loss",
]
