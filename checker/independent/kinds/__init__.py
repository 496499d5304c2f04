"""One checker for each family of facts."""
