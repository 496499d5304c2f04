"""Nets, data and numbers as certificates write them."""
