"""Numbers that decide: linear algebra over Q, balls, intervals, and floats in a fixed order."""
