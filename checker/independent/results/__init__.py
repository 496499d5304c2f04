"""Whole results that lie in a folder: audits and experiments."""
