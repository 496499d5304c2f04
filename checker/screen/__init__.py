"""What a person sees while a command runs: the terminal, plots, and the cluster behind a progress bar."""
