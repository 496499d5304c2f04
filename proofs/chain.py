"""The chain: every claim, in reading order. What rests on what is in the claims themselves."""

from proof_of_absence.proofs.c1_detector import CLAIM as C1
from proof_of_absence.proofs.c2_irrelevance import CLAIM as C2
from proof_of_absence.proofs.c3_freed_capacity import CLAIM as C3
from proof_of_absence.proofs.c4_separating_unit import CLAIM as C4
from proof_of_absence.proofs.c5_strict_descent import CLAIM as C5
from proof_of_absence.proofs.c6_underparameterisation import CLAIM as C6
from proof_of_absence.proofs.c7_reassignment import CLAIM as C7
from proof_of_absence.proofs.c8_contradiction import CLAIM as C8
from proof_of_absence.proofs.c9_full_rank import CLAIM as C9
from proof_of_absence.proofs.c10_detector_size import CLAIM as C10
from proof_of_absence.proofs.c11_price import CLAIM as C11
from proof_of_absence.proofs.c12_uniform_gap import CLAIM as C12
from proof_of_absence.proofs.c13_rent import CLAIM as C13
from proof_of_absence.proofs.c14_posterior import CLAIM as C14
from proof_of_absence.proofs.c15_imitator import CLAIM as C15
from proof_of_absence.proofs.c16_depth import CLAIM as C16
from proof_of_absence.proofs.c17_other_losses import CLAIM as C17
from proof_of_absence.proofs.c18_local_optimisation import CLAIM as C18
from proof_of_absence.proofs.c19_analytical import CLAIM as C19
from proof_of_absence.proofs.c20_counted import CLAIM as C20
from proof_of_absence.proofs.c21_readout_price import CLAIM as C21
from proof_of_absence.proofs.c22_price import CLAIM as C22
from proof_of_absence.proofs.c23_confinement import CLAIM as C23
from proof_of_absence.proofs.c24_sample import CLAIM as C24
from proof_of_absence.proofs.c25_norms import CLAIM as C25
from proof_of_absence.proofs.c26_box import CLAIM as C26
from proof_of_absence.proofs.c27_almost_idle import CLAIM as C27
from proof_of_absence.proofs.n1_separability import CLAIM as N1
from proof_of_absence.proofs.n2_equal_inputs import CLAIM as N2
from proof_of_absence.proofs.n3_interpolation import CLAIM as N3
from proof_of_absence.proofs.n4_almost_idle import CLAIM as N4
from proof_of_absence.proofs.n5_attainment import CLAIM as N5
from proof_of_absence.proofs.n6_blocked_depth import CLAIM as N6
from proof_of_absence.proofs.n7_quantised import CLAIM as N7
from proof_of_absence.proofs.n8_finite_temperature import CLAIM as N8
from proof_of_absence.proofs.n9_zero_one_loss import CLAIM as N9
from proof_of_absence.proofs.n10_near_minima import CLAIM as N10
from proof_of_absence.proofs.refuted import refuted

__all__ = ["CLAIMS"]

WRITTEN = (
    *(C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14),
    *(C15, C16, C17, C18, C19, C20, C21, C22, C23, C24, C25, C26, C27),
    *(N1, N2, N3, N4, N5, N6, N7, N8, N9, N10),
)

# With the trees that refute their queries.
CLAIMS = tuple(map(refuted, WRITTEN))
