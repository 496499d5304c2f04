"""Audits of nets that are no chain of dense layers: graphs of convolutions, pools, sums and the like."""
