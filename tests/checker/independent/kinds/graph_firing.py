"""Where idle units of a graph fire: every value at every deployment row as a Fraction."""

from tests.checker.independent.kinds.graph_idle import columns, unread


def graph_firing(net, train, deploy, fact):
    before, after = columns(net, train, fact["node"]), columns(net, deploy, fact["node"])
    skipped = unread(net, fact["node"])
    idle = [e for e, values in enumerate(before) if len(set(values)) == 1 and e not in skipped]
    listed = {entry: (rows, open_) for entry, rows, open_ in fact["fires"]}
    if fact["rows"] != len(deploy) or sorted(listed) != [e for e, _, _ in fact["fires"]] or set(listed) - set(idle):
        return False
    for e in idle:
        rows, open_ = listed.get(e, ((), ()))
        if set(rows) & set(open_) or (e in listed and not (rows or open_)):
            return False
        if any((i in rows) != (x != before[e][0]) for i, x in enumerate(after[e]) if i not in open_):
            return False
    return all(set(rows) | set(open_) <= set(range(len(deploy))) for rows, open_ in listed.values())
