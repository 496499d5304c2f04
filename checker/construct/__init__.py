"""The constructive proofs as algorithms."""
