"""Every way to push data through a network."""
