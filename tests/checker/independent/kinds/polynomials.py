"""What is said of polynomial identities, by sympy."""

import math
import re

import sympy


def polynomial(text):
    """The polynomial that a term denotes."""
    stack = [[]]
    for word in re.findall(r"[()]|[^\s()]+", text):
        if word == "(":
            stack.append([])
        elif word == ")":
            done = combined(*stack.pop())
            stack[-1].append(done)
        elif word in "+-*/":
            stack[-1].append(word)
        else:
            stack[-1].append(sympy.Rational(word) if word[0].isdigit() else sympy.Symbol(word))
    ((term,),) = stack
    return sympy.expand(term)


def combined(operator, first, *others):
    match operator:
        case "+":
            return sum(others, first)
        case "*":
            return math.prod(others, start=first)
        case "-":
            return first - sum(others) if others else -first
        case "/":
            return first / math.prod(others)
    raise ValueError(operator)


def identity(fact):
    return polynomial(fact["left"]) == polynomial(fact["right"])


def no_identity(fact):
    return not identity(fact)


SAYS = {
    "identity": identity,
    "no-identity": no_identity,
}
