"""What a paper is given, as LaTeX."""
