"""The faces of an audit of a graph: terminal, HTML and JSON."""
