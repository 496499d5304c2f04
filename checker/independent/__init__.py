"""The independent checker: reads a certificate and decides whether what it says is true.

It imports nothing of Absence: it shares the file format with what wrote the certificate, and no code.
"""
