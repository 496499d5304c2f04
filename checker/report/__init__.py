"""Claims to readers: the terminal, the paper, the site."""
