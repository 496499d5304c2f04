"""What the facts of an audit are about: the net and the data of a folder, or those that a run holds in memory."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from proof_of_absence.checker.independent.kinds.region import Prepared
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.arrays import net_arrays, table
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats, blocks
from proof_of_absence.checker.independent.values.nets import Net


class Subject:
    """A net, training inputs (N, d), deployment and test inputs (D, d) and targets (N, m).

    `before` is the net before hardening, `factor` the matrix that shows leverages (`kinds.float_readout`).

    Raises
    ------
    Refused
        If the inputs do not fit the net.
    """

    def __init__(
        self,
        net: FloatNet,
        train: Floats,
        *,
        deploy: Floats | None = None,
        targets: Floats | None = None,
        before: FloatNet | None = None,
        test: Floats | None = None,
        factor: Floats | None = None,
    ):
        self.net, self.train, self.deploy, self.targets, self.before = net, train, deploy, targets, before
        self.test, self.factor = test, factor
        for inputs in (train, deploy, test):
            require(inputs is None or inputs.shape[1] == net.widths[0], "inputs do not fit the net")
        # Units found to have one value at all training rows.
        self.still: set[tuple[int, int]] = set()

    @classmethod
    def read(cls, directory: Path, files: object) -> "Subject":
        """From the files that a certificate in the directory names."""
        known = {"net", "train", "deploy", "targets", "before", "test", "factor"}
        if not (isinstance(files, dict) and {"net", "train"} <= set(files) <= known):
            raise Refused("files are missing")
        return cls(
            FloatNet.read(*net_arrays(directory, files["net"])),
            table(directory, files["train"]),
            deploy=table(directory, files["deploy"]) if "deploy" in files else None,
            targets=table(directory, files["targets"], "targets") if "targets" in files else None,
            before=FloatNet.read(*net_arrays(directory, files["before"])) if "before" in files else None,
            test=table(directory, files["test"]) if "test" in files else None,
            factor=table(directory, files["factor"], "factor") if "factor" in files else None,
        )

    @cached_property
    def prepared(self) -> Prepared:
        """The net in exact numbers, as facts about regions are decided of it."""
        return Prepared(Net.of(self.net.fractions()))

    def layer(self, value: object) -> int:
        """The number of a hidden layer."""
        if not (type(value) is int and 1 <= value < len(self.net.layers)):
            raise Refused("no such hidden layer")
        return value

    def row(self, value: object) -> int:
        """The number of a training row."""
        if not (type(value) is int and 0 <= value < len(self.train)):
            raise Refused("no such training row")
        return value

    def training_rows(self, layer: int, members: list[int]) -> Iterable[Floats]:
        """The training rows in blocks; one is enough for units found to have one value at all of them."""
        if all((layer, j) in self.still for j in members):
            return [self.train[:1]]
        return (self.train[block] for block in blocks(len(self.train)))

    @property
    def deployment(self) -> Floats:
        """The deployment inputs."""
        if self.deploy is None:
            raise Refused("the certificate names no deployment inputs")
        return self.deploy

    def deployment_row(self, value: object) -> int:
        """The number of a deployment row."""
        if not (type(value) is int and 0 <= value < len(self.deployment)):
            raise Refused("no such deployment row")
        return value
