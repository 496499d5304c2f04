"""Plots are written in both formats, byte for byte the same from the same numbers."""

from proof_of_absence.checker.screen.plots import COLOURS, figure, save


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    def drawn():
        picture, (axes,) = figure()
        axes.plot([0, 1, 2], [3, 1, 2], color=COLOURS[0], label="a line")
        axes.set_xlabel("step")
        axes.legend()
        return picture

    first = [path.read_bytes() for path in save(drawn(), tmp_path / "a")]
    second = [path.read_bytes() for path in save(drawn(), tmp_path / "b")]
    assert first == second
    assert first[0].startswith(b"<?xml") and first[1].startswith(b"%PDF")
