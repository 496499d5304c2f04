"""A second opinion on certificates: checkers that are proved in Coq, extracted to OCaml and compiled here.

The room holds the program's own text (`program/`), how it is made, and what it says of certificates.
"""
