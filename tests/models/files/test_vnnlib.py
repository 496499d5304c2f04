"""Boxes in VNN-LIB files: exact bounds, output assertions counted, everything else refused."""

import gzip
import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.vnnlib import InputBox, read_box, read_boxes

DECLARED = "(declare-const X_0 Real)\n(declare-const X_1 Real)\n(declare-const Y_0 Real)\n"
BOUNDED = "(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= X_1 1))(assert (>= X_1 0))"


@pytest.fixture
def read_all(tmp_path):
    def reader(text):
        path = tmp_path / "box.vnnlib"
        path.write_bytes(text.encode())
        return read_boxes(path)

    return reader


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
        (
            DECLARED + "(assert (distinct X_0 1))",
            r"line 4: \(distinct X_0 1\) is no bound on one input; only",
        ),
        (DECLARED + "(assert (or (<= X_0 1) (<= X_0 2)))", "X_0 has no lower bound; the box must be bounded"),
        (DECLARED + BOUNDED + "(assert (or (>= X_0 2) (<= X_0 -1)))", "the bounds of X_0 exclude each other"),
        (DECLARED + "(assert (not (<= X_0 1)))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 X_1))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 X_0))", "is no bound on one input"),
        (DECLARED + "(assert (<= X_0 Y_0))", "X_0 has no lower bound"),
        (DECLARED + "(assert (or))", r"\(or\) is no bound on one input"),
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
        ("(vnnlib-version <3.0>)", "line 1: only versions 1.0 and 2.0 of VNN-LIB are read"),
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


def test_choices_give_boxes(read_all):
    box = "(and (<= X_0 {}) (>= X_0 {}) (<= Y_0 4))"
    boxes = read_all(
        DECLARED + "(assert (<= X_1 1))(assert (>= X_1 0))"
        f"(assert (or {box.format(1, 0)} {box.format(3, 2)} {box.format(1, 0)} {box.format(4, 5)}))"
    )
    # Equal ones once, empty ones not at all.
    assert [b.bounds for b in boxes] == [((0, 1), (0, 1)), ((2, 3), (0, 1))] and boxes[0].output_assertions == 4
    crossed = read_all(DECLARED + BOUNDED + "(assert (or (<= X_0 0.5) (>= X_0 0.5)))(assert (or (= X_1 0) (= X_1 1)))")
    assert len(crossed) == 4


def test_too_many_choices(read_all):
    choice = "(assert (or (<= X_0 1) (<= X_0 2)))"
    with pytest.raises(InputError, match="makes more than 10000 boxes, the most that are read"):
        read_all(DECLARED + choice * 14)


def test_strict_bounds_give_the_closed_box(read):
    box = read(DECLARED + "(assert (< X_0 1))(assert (> X_0 0))(assert (< 0 X_1))(assert (<= X_1 1))")
    assert box.bounds == ((0, 1), (0, 1)) and box.strict == 3


def test_what_is_said_of_inputs_and_outputs_is_counted(read):
    box = read(
        DECLARED + BOUNDED + "(assert (<= Y_0 X_0))(assert (>= (* 2 X_1) Y_0))(assert (or (<= Y_0 1) (<= Y_0 X_1)))"
    )
    assert box == InputBox(((0, 1), (0, 1)), 4)


def test_a_byte_order_mark_is_none_of_the_text(read):
    assert read(b"\xef\xbb\xbf" + (DECLARED + BOUNDED).encode()).bounds == ((0, 1), (0, 1))


def test_a_packed_file_and_a_pointer(tmp_path):
    path = tmp_path / "box.vnnlib.gz"
    path.write_bytes(gzip.compress((DECLARED + BOUNDED).encode()))
    assert read_box(path).bounds == ((0, 1), (0, 1))
    path.write_bytes(gzip.compress((DECLARED + BOUNDED).encode())[:-9])
    with pytest.raises(InputError, match=r"box.vnnlib.gz: is no whole gzip file"):
        read_box(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")
    with pytest.raises(InputError, match=r"box.vnnlib.gz: is a Git-LFS pointer, not the file itself; fetch it"):
        read_box(path)


SECOND = """
(vnnlib-version <2.0>)
(declare-network net
    (declare-input image float32 [1, 2, 2])
    (declare-output scores Real [2])
)
(assert (and (<= image[0,0,0] 1) (>= image [0, 0, 0] 0)))
(assert (<= image[0, 0, 1] 2)) (assert (> image[0,0,1] -2.5))
(assert (== image[0,1,0] 3)) (assert (<= 4.0 image[0,1,1])) (assert (<= image[0,1,1] 5))
(assert (or (<= scores[0] scores[1]) (>= scores [1] image[0,0,0])))
"""


def test_version_2(read, read_all):
    box = read(SECOND)
    assert box.bounds == ((0, 1), (Fraction(-5, 2), 2), (3, 3), (4, 5)) and (box.output_assertions, box.strict) == (
        2,
        1,
    )
    assert len(read_all(SECOND + "(assert (or (<= image[0,0,0] 0.25) (>= image[0,0,0] 0.75)))")) == 2
    scalar = (
        "(declare-network n (declare-input X Real []) (declare-output Y Real []))(assert (<= X 1))(assert (>= X[] 0))"
    )
    assert read(scalar).bounds == ((0, 1),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("image[0,0,0] 1", "image[0,0] 1"), r"image\[0,0\] is no entry of a declared tensor"),
        (("image[0,0,0] 1", "image[0,0,2] 1"), r"image\[0,0,2\] lies outside the shape \[1, 2, 2\]"),
        (("image[0,0,0] 1", "other[0] 1"), r"other\[0\] is no entry of a declared tensor"),
        (("image[0,0,0] 1", "image 1"), "image is not declared"),
        (("(declare-output", "(declare-input"), "is no tensor, or a second one of its kind"),
        (("(declare-output", "(declare-hidden"), "is not supported; declare one input and one output"),
        (("[2]", "[two]"), "is no tensor, or a second one of its kind"),
        (("[1, 2, 2]", "[1000000, 1000000, 1]"), "declares 1000000000000 variables, more than are read"),
        (("(assert (or", "(declare-network m)(assert (or"), "declares a second network"),
        (("(assert (== image[0,1,0] 3))", ""), "X_2 has no lower bound"),
    ],
)
def test_version_2_refused(read, change, message):
    assert change[0] in SECOND
    with pytest.raises(InputError, match=message) as caught:
        read(SECOND.replace(*change))
    assert str(caught.value).isprintable()


@given(
    st.lists(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=2, max_size=2), min_size=1, max_size=4)
)
def test_the_boxes_hold_what_the_formula_holds(tmp_path_factory, cases):
    """Against the formula's own meaning, at every point of a grid."""
    path = tmp_path_factory.getbasetemp() / "or.vnnlib"
    parts = [
        "(and " + " ".join(f"(>= X_{k} {low}) (<= X_{k} {low + width})" for k, (low, width) in enumerate(case)) + ")"
        for case in cases
    ]
    path.write_text(DECLARED + f"(assert (or {' '.join(parts)}))(assert (<= X_0 2))")
    try:
        boxes = read_boxes(path)
    except InputError:
        boxes = ()
    for point in itertools.product(range(-4, 7), repeat=2):
        meant = point[0] <= 2 and any(
            all(low <= x <= low + width for x, (low, width) in zip(point, case, strict=True)) for case in cases
        )
        held = any(all(low <= x <= high for x, (low, high) in zip(point, b.bounds, strict=True)) for b in boxes)
        assert meant == held
