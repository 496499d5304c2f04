"""Boxes in VNN-LIB files: exact bounds, output assertions counted, everything else refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.vnnlib import InputBox, read_box

DECLARED = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n"
BOUNDED = "(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= X_1 1))(assert (>= X_1 0))"


@pytest.fixture
def read(tmp_path):
    def reader(text):
        path = tmp_path / "box.vnnlib"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_box(path)

    return reader


def test_a_file_as_the_competitions_write_it(read):
    box = read(
        """; ACAS Xu property 1

        (declare-const X_0 Real)
        (declare-const X_1 Real)
        (declare-const Y_0 Real)
        (declare-const Y_1 Real)
        ; Unscaled Input 0: (55947.691, 60760)
        (assert (<= X_0 0.679857769))
        (assert (>= X_0 0.6))
        (assert (and (<= X_1 5e-1) (>= X_1 -.5) (<= Y_1 4)))
        (assert (>= Y_0 3.991125645861615)) ; unsafe
        (assert (or (and (<= Y_0 Y_1)) (and (>= Y_0 (* 2 Y_1)))))
        """
    )
    assert box == InputBox(
        ((Fraction("0.6"), Fraction("0.679857769")), (Fraction(-1, 2), Fraction(1, 2))), output_assertions=3
    )


def test_forms_of_a_bound(read):
    box = read(
        DECLARED.replace("declare-const X_0 Real", "declare-fun X_0 () Real")
        + "(set-logic QF_LRA)(assert (>= 0.1 X_0))(assert (<= (- (/ 1 3)) X_0))"
        + "(assert (<= X_0 (- (- 7))))(assert (>= X_0 -1e9))"
        + "(assert (= X_1 +1.50E+1))(check-sat)(exit)"
    )
    assert box == InputBox(((Fraction(-1, 3), Fraction(1, 10)), (Fraction(15), Fraction(15))), 0)


@given(st.lists(st.tuples(st.decimals(-1000, 1000, places=7), st.decimals(0, 10, places=12)), min_size=1, max_size=12))
def test_any_box(tmp_path_factory, sides):
    path = tmp_path_factory.getbasetemp() / "any.vnnlib"
    lines = [f"(declare-const X_{k} Real)" for k in reversed(range(len(sides)))]
    for k, (low, width) in enumerate(sides):
        lines += [f"(assert (>= X_{k} {low:f}))", f"(assert (<= X_{k} {low + width:e}))"]
    path.write_text("\n".join(lines))
    assert read_box(path).bounds == tuple((Fraction(low), Fraction(low + width)) for low, width in sides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DECLARED + BOUNDED.replace("(assert (<= X_1 1))", ""),
            r"box.vnnlib: X_1 has no upper bound; the box must be bounded",
        ),
        (DECLARED + BOUNDED.replace("(assert (>= X_0 0))", ""), "X_0 has no lower bound"),
        (DECLARED + BOUNDED + "(assert (<= X_1 -1e-300))", "the bounds of X_1 exclude each other, so the box is empty"),
        (DECLARED + "(assert (< X_0 1))", r"line 4: \(< X_0 1\) is no bound on one input; only \(<= X_0 c\)"),
        (
            DECLARED + "(assert (or (<= X_0 1) (<= X_0 2)))",
            r"\(or \(<= X_0 1\) \(<= X_0 2\)\) is no bound on one input",
        ),
        (DECLARED + "(assert (not (<= X_0 1)))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 X_1))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 X_0))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 Y_0))", "is no bound on one input"),
        (DECLARED + "(assert (or (<= X_0 1) (<= Y_0 1)))", "is no bound on one input"),
        (DECLARED + "(assert (<= (+ X_0 X_1) 1))", "is no bound on one input"),
        (DECLARED + "(assert (<= (* 2 X_0) 1))", "is no bound on one input"),
        (DECLARED + "(assert (<= 0 X_0 1))", "is no bound on one input"),
        (DECLARED + "(assert (<= 0 1))", "is no bound on one input"),
        (DECLARED + "(assert (and))", r"\(and\) is no bound on one input"),
        (DECLARED + "(assert X_0)", "X_0 is no bound on one input"),
        (DECLARED + "(assert (<= X_0 (+ 1 1)))", r"\(\+ 1 1\) is no number such as 0.25, 1e-3"),
        (DECLARED + "(assert (<= X_0 (/ 1 0)))", "is no number such as"),
        (DECLARED + "(assert (<= X_0 (/ 1 0.0)))", "is no number such as"),
        (DECLARED + "(assert (<= X_0 ()))", r"\(\) is no number"),
        (DECLARED + "(assert (<= X_0 nan))", "line 4: nan is not declared"),
        (DECLARED + "(assert (<= X_0 1e99999))", "1e99999 is not declared"),
        (DECLARED + "(assert (<= X_0 1_0))", "1_0 is not declared"),
        (DECLARED + "(assert (<= X_0 1/2))", "1/2 is not declared"),
        (DECLARED + "(assert (<= X_0 \u0661))", "is not declared"),
        (DECLARED + "(assert (<= X_2 1))", "X_2 is not declared"),
        (DECLARED + "(assert (<= Y_0 x_0))", "x_0 is not declared"),
        (DECLARED + "(assert)", r"\(assert\) is not supported; use declare-const and assert"),
        (DECLARED + "(assert (<= X_0 1) (<= X_1 1))", "is not supported; use declare-const and assert"),
        (DECLARED + "(push 1)", r"line 4: \(push 1\) is not supported"),
        (DECLARED + "()", r"\(\) is not supported"),
        (DECLARED + "(declare-const X_0 Real)", "line 4: X_0 is declared twice"),
        (DECLARED + "(declare-const X_3 Real)", "declares 3 inputs, but not X_2"),
        ("(declare-const X_01 Real)", "variable X_01: inputs are named X_0, X_1, ..., outputs Y_0"),
        ("(declare-const x Real)", "variable x: inputs are named"),
        ("(declare-const X_0 Int)", r"\(declare-const X_0 Int\) is not supported"),
        ("(declare-const Y_0 Real)", "declares no input X_0"),
        ("; nothing", "declares no input X_0"),
        ("(vnnlib-version <2.0>)", "line 1: only VNN-LIB 1.0 is supported"),
        (DECLARED + "(assert (<= X_0 1)", "line 4: this expression is never closed; the file may be truncated"),
        (DECLARED + "(assert (<= X_0 1))\n)", "line 5: a closing parenthesis too many"),
        ("X_0", "line 1: X_0 stands outside parentheses"),
        ("(" * 10**5, "line 1: more than 100 parentheses within each other"),
        (b"\xff\xfe(", "is no text file"),
        ("", "is empty"),
        (DECLARED + f"(assert (<= X_0 {'9' * 10**5}))", r"line 4: 9{80}\.\.\. is not declared"),
        (DECLARED + f"(assert (<= X_0 {'(- ' * 98}1{')' * 98}))", "X_0 has no lower bound"),
        (
            DECLARED + f"(assert (<= X_0 {'(- ' * 99}1{')' * 99}))",
            "line 4: more than 100 parentheses within each other",
        ),
    ],
)
def test_refused(read, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read(text)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_every_cut_is_refused(refuses_every_cut):
    refuses_every_cut((DECLARED + BOUNDED).encode(), ".vnnlib", read_box)
