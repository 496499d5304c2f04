"""Where idle units of a graph fire: every value at every deployment row as a Fraction."""

from tests.checker.independent.kinds.graph_idle import columns, unread


def graph_firing(net, train, deploy, fact):
    before, after = columns(net, train, fact["node"]), columns(net, deploy, fact["node"])
    skipped = unread(net, fact["node"])
    idle = [e for e, values in enumerate(before) if len(set(values)) == 1 and e not in skipped]
    fires = [[e, [i for i, x in enumerate(after[e]) if x != before[e][0]]] for e in idle]
    return fact["rows"] == len(deploy) and fact["fires"] == fires
