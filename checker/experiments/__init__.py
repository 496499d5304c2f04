"""What `make experiments` runs: each a command, a result, its pictures."""
