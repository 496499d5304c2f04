"""Nets and polynomials as scripts for solvers."""
