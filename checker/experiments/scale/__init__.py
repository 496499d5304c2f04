"""What the parameters of a detector are worth by a measured scaling law."""
