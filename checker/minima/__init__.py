"""Exact least losses: over dichotomies, and through convex programs."""
