"""How long a planted detector lives while a net is trained: C18 measured, under the optimisers of PyTorch."""
