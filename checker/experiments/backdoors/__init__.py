"""How often a backdoor that training made is a separable detector, and what it costs by the readout price."""
