"""Recorded activations: exact facts about the numbers that entered a linear layer, at the inputs that were recorded."""
