"""The output weights and the shift of the output bias that suit one more unit best, in floats.

Nothing found here is trusted: what comes of it is certified elsewhere.
"""

import numpy as np

__all__ = ["for_classes", "for_squares", "softmax"]

# Steps towards the best output weights.
STEPS = 200


def softmax(logits: np.ndarray) -> np.ndarray:
    """The shares of each row, shape (N, m)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def for_squares(phi: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of least squares for a unit of the values phi (N), residuals (N, m): output weights and shift, both (m)."""
    with np.errstate(all="ignore"):
        mean = phi.mean()
        centred = phi - mean
        square = centred @ centred
        outgoing = centred @ residuals / square if phi.any() else np.zeros(residuals.shape[1])
        return outgoing, residuals.mean(axis=0) - outgoing * mean


def for_classes(
    phi: np.ndarray, logits: np.ndarray, targets: np.ndarray, outputs: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Those that lower the cross-entropy, for a unit of the values phi (N); None if it is never active.

    The Hessian is at most 1/2 A^T A in each output, A = [1 | phi], so a step of 2 (A^T A)^-1 A^T (t - softmax) never
    raises the loss (Boehning and Lindsay). Of the logits (N, m) the last ones move, as many as there are outputs.
    """
    scale = float(phi.max())
    if not 0 < scale < np.inf:
        return None
    design = np.column_stack([np.ones(len(phi)), phi / scale])
    inverse = np.linalg.pinv(design.T @ design)
    found = np.zeros((2, logits.shape[1]))
    for _ in range(STEPS):
        step = 2 * inverse @ (design.T @ (targets - softmax(logits + design @ found)))
        found[:, -outputs:] += step[:, -outputs:]
    return found[1, -outputs:] / scale, found[0, -outputs:]
