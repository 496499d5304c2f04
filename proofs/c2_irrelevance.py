"""C2 irrelevance. Hardcoding a train-idle circuit changes no output on the training inputs,
so no loss that depends on those alone.
"""

from proof_of_absence.checker.encode.nets import forward, parameters_of, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, add, all_of, any_of, distinct, dot, eq
from proof_of_absence.models.circuit import Unit, hardcode, idle_value
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import channels
from proof_of_absence.proofs.facts import compare_outputs, every, idle
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

# Sizes of the symbolic query: inputs of dimension d, n hidden units of which the first k are idle, m outputs, N inputs.
D, N_HIDDEN, K_IDLE, M, N_INPUTS = 2, 3, 2, 2, 3
# On how many of the inputs the control's circuit is idle.
N_CONTROL = N_INPUTS - 1

# A net with two hidden layers: units (1,2) and (2,2) see the difference of the inputs exceed 4, which no training input
# does, and (2,2) sends the constant 3 all the same.
DEEP = MLP(
    (
        Affine([[1, 1], [1, -1], [2, -2]], [0, 1, -8]),
        Affine([[1, -1, 0], [1, 2, 0], [0, 0, 1]], [1, -2, 3]),
        Affine([[1, -2, 1], [3, 1, -1]], [0, 1]),
    )
)
DEEP_CIRCUIT = frozenset({Unit(1, 2), Unit(2, 2)})
DEEP_INPUTS = tuple((x, y) for x in range(4) for y in range(4))
# What the outputs receive from the circuit at each of these inputs.
DEEP_SENT = [v for unit, v in idle_value(DEEP, DEEP_CIRCUIT, DEEP_INPUTS).items() if unit.layer == len(DEEP.layers)]


def hardcoded(net: MLP, circuit) -> MLP:
    """The net with a circuit that is idle on the world's training inputs hardcoded."""
    return hardcode(net, circuit, idle_value(net, circuit, WORLD.train_distribution()))


def _told_apart(net: MLP, circuit) -> Query:
    script = Script("QF_LRA", "Is there a training input at which the hardcoded net differs from the original?")
    z = script.reals("z", net.widths[0])
    inputs = sorted(WORLD.train_distribution())
    script.premise(any_of(all_of(eq(x, v) for x, v in zip(z, row, strict=True)) for row in inputs))
    output = Unit(2, 0)
    original = forward(script, parameters_of(net), z, "original")[output]
    other = forward(script, parameters_of(hardcoded(net, circuit)), z, "hardcoded")[output]
    script.decide("claim_fails", distinct(original, other))
    return Query(script)


def _symbolic(idle_inputs: int, *, loss: bool = False) -> Query:
    """All weights and inputs unknown, the circuit idle on the first `idle_inputs` of the inputs."""
    script = Script("QF_UFNRA" if loss else "QF_NRA", "Idle circuit of a net with unknown weights, on unknown inputs")
    net = unknown_parameters(script, (D, N_HIDDEN, M))
    zs = [script.reals(f"z{i}", D) for i in range(N_INPUTS)]
    terms = [forward(script, net, z, f"f{i}") for i, z in enumerate(zs)]
    outgoing, bias = net[1]
    value = script.reals("v", M)
    for i in range(idle_inputs):
        units = [terms[i][Unit(1, j)] for j in range(K_IDLE)]
        for k in range(M):
            script.premise(eq(dot(outgoing[k][:K_IDLE], units), value[k]))
    cut = [[0] * K_IDLE + row[K_IDLE:] for row in outgoing]
    changed = [net[0], (cut, [add(c, v) for c, v in zip(bias, value, strict=True)])]
    others = [forward(script, changed, z, f"g{i}") for i, z in enumerate(zs)]
    before, after = ([t[Unit(2, k)] for t in row for k in range(M)] for row in (terms, others))
    if loss:
        script.function("loss", len(before))
        differ = distinct(f"(loss {' '.join(before)})", f"(loss {' '.join(after)})")
    else:
        differ = any_of(distinct(a, b) for a, b in zip(before, after, strict=True))
    script.decide("claim_fails", differ)
    return Query(script)


def _exact(net: MLP, circuit, inputs) -> Evidence:
    value = idle_value(net, circuit, inputs)
    same = compare_outputs(net, hardcode(net, circuit, value), inputs)
    return Evidence(every(idle(net, circuit, inputs), same), holds=same["kind"] == "same-outputs")


def _train_inputs() -> list:
    return sorted(WORLD.train_distribution())


CLAIM = Claim(
    id="C2",
    title="Irrelevance",
    statement=r"If $J$ is train-idle in $\theta$ then $\mathrm{hardcode}(\theta,J)$ has the outputs of $\theta$ at "
    r"every training input, hence the same value of every loss that depends on $\theta$ through those outputs. $J$ may "
    r"lie in several layers of a deep net. The same holds in any architecture: of a program whose nodes read the input "
    r"and the nodes before them, let some nodes have constant values in training; with these constants in their place "
    r"no node has another value in training. In a graph of layers $J$ is a set of entries of nodes, such as channels "
    r"at positions. If each has one value in training, put it in its place: no node has another value in training, and "
    r"elsewhere none does unless an entry of $J$ has another one there. If each affine entry outside $J$ receives one "
    r"value from $J$ in training, put its weights of $J$ to $0$ and add that value to its bias: again no node has "
    r"another value in training, and elsewhere none does unless such an entry receives another value from $J$ there. A "
    r"convolution shares its weights. At channels that are $0$ at all positions its kernel can be $0$. What channels "
    r"send that are constant at all positions can be added to its biases without padding; with zero padding it can "
    r"just if it is the same at all positions. Let a convolution read a channel at some position through each entry of "
    r"its kernel, each time from a place that reads that position through this entry alone. If it does not depend on "
    r"the channel there, it depends on that channel nowhere. A unit that is $v$ can be left out of a max-pooling "
    r"window just where another unit of the window is at least $v$.",
    premises=(
        "J is a nonempty set of hidden units",
        "J is train-idle: each reader outside J receives one value on all training inputs; or, for a program or graph, "
        "each node or entry that is replaced has one value on them",
    ),
    proof=r"At a training input each reader outside $J$ receives from $J$ the constant $v$; hardcoding replaces that "
    r"summand by $v$ in its bias. By induction on the layers every unit outside $J$ keeps its value, and the outputs "
    r"are such units. In a program, what a reader receives from $J$ is a node of its own; the induction is over the "
    r"nodes. In a graph the same induction is over the nodes: each reads the values that it read before, and what is "
    r"new in it has the value that it replaces. A channel that is $v$ at all positions sends to a position $v$ times "
    r"the sum of the kernel's entries that do not lie in the padding there. To be deaf to a channel at one position, a "
    r"kernel must be $0$ in each entry through which it reads that position.",
    limits="Universal for ReLU nets of any depth, and for any program of nodes in order, whose values are of any one "
    "type; a network with cycles is unrolled first. Of a graph over the reals, too. That a kernel reads some position "
    "through every one of its entries is a premise; large strides break it.",
    obligations=(
        universal(
            "For all d, n, m, N: hardcoding a train-idle circuit changes no training output and no loss that depends "
            "on those; and so for any program that reads the circuit through one value, or has constants in place of "
            "nodes with these values in training",
            "c2_irrelevance",
            "C2_same_outputs",
            "C2_same_loss",
            "C2_any_architecture",
            "C2_program",
        ),
        universal(
            "For all depths, widths, m, N: hardcoding a train-idle circuit that lies in several layers changes no "
            "training output",
            "c2_deep",
            "C2_deep",
            name="universal-deep",
        ),
        universal(
            "For all graphs of layers and circuits of entries of their nodes: with constants in their place, or in the "
            "biases of the affine nodes that read them, no node has another value in training; and at another input "
            "only if the circuit, or what these receive from it, has one there",
            "c2_graph",
            "C2_graph",
            "C2_graph_fires",
            "C2_graph_loss",
            "C2_graph_cut",
            "C2_graph_cut_fires",
            "C2_graph_zero",
            "C2_graph_folded",
            name="universal-graph",
        ),
        universal(
            "For all convolutions and max-pooling windows: channels that are 0 at all positions, or constant at all "
            "and without padding, can be cut within the class, with padding just if they send the same to all "
            "positions; one position cannot; and when a unit can be left out of a window",
            "c2_conv",
            "C2_conv_zero",
            "C2_conv_fold",
            "C2_conv_iff",
            "C2_conv_border",
            "C2_graph_conv",
            "C2_graph_conv_fold",
            "C2_conv_deaf",
            "C2_conv_position",
            "C2_pool_idle",
            "C2_pool_drop",
            "C2_pool_zero",
            "C2_pool_bias",
            name="universal-shared",
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts about circuits that are "
            "idle, fire or send two values, and about the outputs of two nets, holds of the nets and inputs that the "
            "lists stand for",
            "check_nets",
            "C2_check_idle",
            "C2_check_fires",
            "C2_check_not_idle",
            "C2_check_no_idle",
            "C2_check_same_outputs",
            "C2_check_other_output",
            "C2_check_off",
            name="universal-checker",
        ),
        universal(
            "What the checker computes as entering the last hidden layer of a deep net is what enters it, so that the "
            "deep net is a net of one hidden layer on it",
            "check_deep",
            "C2_check_features",
            name="universal-checker-deep",
        ),
        universal(
            "So what the checker says of a deep net is so of the deep net itself: its outputs and hidden values are "
            "those, a circuit of its last hidden layer is idle where the checker says so, and fires, and its loss is "
            "that",
            "check_last_layer",
            "C2_last_layer",
            "C2_deep_idle",
            "C2_deep_fires",
            "C2_deep_same_outputs",
            "C2_deep_loss",
            name="universal-last-layer",
        ),
        universal(
            "A checker of circuits of deep nets that lie in several hidden layers: what it accepts is idle, or fires, "
            "and two nets differ in nothing but a circuit and the biases of layers that read it",
            "check_circuits",
            "C2_check_idle_deep",
            "C2_check_fires_deep",
            "C2_check_off_deep",
            name="universal-checker-circuits",
        ),
        universal(
            "A checker of audits, in integers over one scale a layer: what it accepts in one pass over rows of data "
            "holds of the units and circuits of a net of any depth: units that are 0 or have one positive value at "
            "all rows, and what a circuit sends, or that it sends another value, at each",
            "check_audits",
            "C2_check_rows",
            name="universal-checker-audits",
        ),
        universal(
            "A checker of audits that looks at many rows at once, each column of theirs packed into one integer and to "
            "so many digits as a hint says: if what is read are the leading digits of the rows, the units that it "
            "accepts are 0, or have one positive value, at all of them",
            "check_packed_rows",
            "C2_check_blocks",
            name="universal-checker-packed-rows",
        ),
        universal(
            "What follows: circuits of units with one value and circuits that nothing reads are idle, one that sends "
            "one value at all rows is idle at it, and a unit that is read and has two values is not idle",
            "check_units",
            "C2_check_sends",
            "C2_check_first",
            "C2_check_still",
            "C2_check_unread",
            "C2_check_varies",
            "C2_check_reads",
            name="universal-checker-units",
        ),
        universal(
            "A checker of nets that were hardened: if it accepts, the net has the weights of the one before, but those "
            "that are cut and are 0, and biases that differ only above a cut; and no output at a row of data differs "
            "by more than is stated",
            "check_hardening",
            "C2_check_hardened",
            name="universal-checker-hardening",
        ),
        universal(
            "A checker of trees of cases over a box: if it accepts, a circuit sends the stated values at every real "
            "point of the box; and a checker of one point of it, where the circuit sends something else",
            "check_regions",
            "C2_check_region",
            "C2_check_acts",
            name="universal-checker-regions",
        ),
        universal(
            "A checker of SMT scripts of polynomials: the formulas that it accepts at rational numbers are true there, "
            "in every ordered field",
            "check_formulas",
            "C2_check_satisfied",
            name="universal-checker-scripts",
        ),
        universal(
            "A checker of refutations: where it accepts a tree of cases with Positivstellensatz leaves, no values in "
            "an ordered field make all formulas of the script true",
            "check_refutation",
            "C2_check_refuted",
            name="universal-checker-refutations",
        ),
        Obligation(
            "C2.deployment",
            "No training input tells the planted deceptive net from its hardcoded copy (solver)",
            Scope.INSTANCE,
            lambda: _told_apart(DECEPTIVE, DEPLOYMENT_DETECTOR),
        ),
        Obligation(
            "C2.backdoor",
            f"The same for the backdoor, a circuit of {len(BACKDOOR_DETECTOR)} units (solver)",
            Scope.INSTANCE,
            lambda: _told_apart(BACKDOOR, BACKDOOR_DETECTOR),
        ),
        Obligation(
            "C2.exact",
            "The same for the planted deceptive net by exact evaluation at every training input",
            Scope.INSTANCE,
            lambda: _exact(DECEPTIVE, DEPLOYMENT_DETECTOR, _train_inputs()),
        ),
        Obligation(
            "C2.deep",
            f"The same at {len(DEEP_INPUTS)} inputs for a circuit across two hidden layers that sends "
            f"{listed([DEEP_SENT])} to the two outputs of its net",
            Scope.INSTANCE,
            lambda: _exact(DEEP, DEEP_CIRCUIT, DEEP_INPUTS),
        ),
        Obligation(
            "C2.symbolic",
            f"For all weights and inputs at d={D}, n={N_HIDDEN}, m={M}, N={N_INPUTS}: hardcoding {K_IDLE} units that "
            "are idle together changes no output at these inputs",
            Scope.BOUNDED,
            lambda: _symbolic(N_INPUTS),
        ),
        Obligation(
            "C2.loss",
            "At the same sizes, every function of these outputs keeps its value (the loss is uninterpreted)",
            Scope.BOUNDED,
            lambda: _symbolic(N_INPUTS, loss=True),
        ),
        Obligation(
            "C2.zero-channel",
            f"For all kernels of {channels.WIDTH} entries, biases and values at {channels.POSITIONS} positions: a "
            "channel that is 0 at all of them can be cut from a reader with zero padding",
            Scope.BOUNDED,
            lambda: channels.cut_reader(1, 0),
        ),
        Obligation(
            "C2.constant-channel",
            "The same for a channel that is v at all positions, and a reader without padding, whose bias takes what "
            "the channel sends",
            Scope.BOUNDED,
            lambda: channels.cut_reader(0, "v"),
        ),
        Obligation(
            "C2.channel",
            f"A net of two convolutions with padding, at {len(channels.INPUTS)} inputs: the kernel of the second can "
            "be 0 at a channel that is 0 at all positions",
            Scope.INSTANCE,
            lambda: channels.cut_channel(1),
        ),
        Obligation(
            "C2.pool",
            f"A unit that is 0 can be left out of a max-pooling window with {channels.WINDOW} others that are not "
            "negative, for all their values",
            Scope.BOUNDED,
            lambda: channels.drop_from_window(0),
        ),
        Obligation(
            "C2.control-padding",
            "The same as C2.constant-channel with zero padding",
            Scope.BOUNDED,
            lambda: channels.cut_reader(1, "v"),
            Verdict.REFUTED,
        ),
        Obligation(
            "C2.control-position",
            "The same as C2.zero-channel for a channel that is 0 at its first position",
            Scope.BOUNDED,
            lambda: channels.cut_reader(1, 0, where=[0]),
            Verdict.REFUTED,
        ),
        Obligation(
            "C2.control-channel",
            "The same as C2.channel for a channel that is 0 at its first position alone, at the inputs where it is so",
            Scope.INSTANCE,
            lambda: channels.cut_channel(0),
            Verdict.REFUTED,
        ),
        Obligation(
            "C2.control-pool",
            "The same as C2.pool for a unit that is v",
            Scope.BOUNDED,
            lambda: channels.drop_from_window("v"),
            Verdict.REFUTED,
        ),
        Obligation(
            "C2.control",
            f"The same as C2.symbolic where the circuit is idle on {N_CONTROL} of the {N_INPUTS} inputs only",
            Scope.BOUNDED,
            lambda: _symbolic(N_CONTROL),
            Verdict.REFUTED,
        ),
    ),
)
