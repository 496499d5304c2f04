"""What certificates hold, read without trust and evaluated: numbers, nets, data, worlds."""

from typing import Any

# JSON as it was read. Its `kind`, if it is a fact, selects the checker.
Fact = dict[str, Any]
