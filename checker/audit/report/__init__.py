"""The faces of an audit: terminal, HTML, JSON."""
