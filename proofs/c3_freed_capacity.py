"""C3 freed capacity. After hardcoding, the circuit's incoming parameters are free:
no value of theirs changes any output anywhere.
"""

from fractions import Fraction

from proof_of_absence.checker.encode.nets import forward, parameters_of, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, distinct
from proof_of_absence.models.circuit import Unit, free, prune
from proof_of_absence.models.policies import ARCHITECTURE, DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import channels
from proof_of_absence.proofs.c2_irrelevance import hardcoded
from proof_of_absence.proofs.facts import compare_outputs, every, smaller_class
from proof_of_absence.proofs.universal import universal

D, N_HIDDEN, K_FREED = 2, 3, 2


def _symbolic(*, cut: bool) -> Query:
    """Two nets with unknown weights, alike but for the incoming parameters of the circuit, at an unknown input."""
    script = Script("QF_NRA", "Do the freed parameters change an output anywhere?")
    net = unknown_parameters(script, (D, N_HIDDEN, 1))
    (weights, bias), (outgoing, c) = net
    new_weights = [script.reals(f"new_w{j}", D) for j in range(K_FREED)]
    new_bias = script.reals("new_b", K_FREED)
    out = [[0] * K_FREED + row[K_FREED:] if cut else row for row in outgoing]
    z = script.reals("z", D)
    left = forward(script, [(weights, bias), (out, c)], z, "f")[Unit(2, 0)]
    changed = (new_weights + weights[K_FREED:], new_bias + bias[K_FREED:])
    right = forward(script, [changed, (out, c)], z, "g")[Unit(2, 0)]
    pruned = [(weights[K_FREED:], bias[K_FREED:]), ([row[K_FREED:] for row in outgoing], c)]
    small = forward(script, pruned, z, "h")[Unit(2, 0)]
    differ = f"(or {distinct(left, right)} {distinct(left, small)})" if cut else distinct(left, right)
    script.decide("claim_fails", differ)
    return Query(script)


def _nets():
    """The planted net hardcoded, the same with arbitrary freed parameters, and pruned."""
    cut = hardcoded(DECEPTIVE, DEPLOYMENT_DETECTOR)
    arbitrary = [Fraction((-1) ** i * (7 * i + 3), i + 2) for i in range(ARCHITECTURE.widths[0])]
    freed = free(cut, {unit: (arbitrary, Fraction(unit.index, 9)) for unit in DEPLOYMENT_DETECTOR})
    return cut, freed, prune(cut, DEPLOYMENT_DETECTOR)


def _everywhere() -> Query:
    script = Script(
        "QF_LRA", "The hardcoded net against the same with other freed parameters, and pruned, at every real input"
    )
    z = script.reals("z", ARCHITECTURE.widths[0])
    cut, freed, small = (
        forward(script, parameters_of(net), z, name)[Unit(2, 0)]
        for net, name in zip(_nets(), ("cut", "freed", "pruned"), strict=True)
    )
    script.decide("claim_fails", f"(or {distinct(cut, freed)} {distinct(cut, small)})")
    return Query(script)


def _planted() -> Evidence:
    cut, freed, small = _nets()
    inputs = sorted({*WORLD.train_distribution(), *WORLD.deploy_distribution()})
    smaller = smaller_class(cut, small, inputs)
    same = compare_outputs(cut, freed, inputs)
    return Evidence(every(same, smaller), holds=same["kind"] == "same-outputs" and cut.widths == freed.widths)


CLAIM = Claim(
    id="C3",
    title="Freed capacity",
    statement=r"After $\mathrm{hardcode}(\theta,J)$ the parameters $w_j,b_j$ $(j\in J)$ may take any value without "
    r"changing any output at any input. The model stays in $S_n$, and its function lies in $S_{n-|J|}$. Of a deep net, "
    r"with $J$ in several layers, all weights of edges into $J$ and the biases of $J$ are free so. In a graph of "
    r"layers, whose affine nodes read $J$ no more and whose other nodes outside $J$ never did, the entries in $J$ may "
    r"be any functions of the input and of the nodes before them: no entry outside $J$ has another value.",
    premises=("J is a nonempty set of hidden units, hardcoded",),
    proof=r"After hardcoding (\claim{C2}) the output weights $a_j$ $(j\in J)$ are $0$, so $w_j,b_j$ occur only in "
    r"summands $0\cdot\mathrm{relu}(\cdot)$. Dropping these summands leaves $n-|J|$ hidden units. In a deep net, by "
    r"induction on the layers, no unit outside $J$ has another value; and so in a graph, on the nodes.",
    limits="Universal for ReLU nets; that the function of a deep one is that of a narrower net is said of shallow nets "
    "only. If J is all units, S_0 holds the constants. A max-pooling window that reads J has to be in J.",
    rests_on=("C2",),
    obligations=(
        universal(
            "For all d, n, m: the freed parameters change no output anywhere, and n-|J| units give the same function",
            "c3_freed_capacity",
            "C3_free",
            "C3_smaller",
        ),
        universal(
            "For all depths and widths: two nets whose circuits, which may lie in several layers, no unit outside "
            "reads, and which are alike outside them, have the same outputs at every input",
            "c2_deep",
            "C3_deep",
            name="universal-deep",
        ),
        universal(
            "For all graphs of layers: where no entry outside a circuit reads it, and so where its weights in affine "
            "nodes are 0 and other nodes do not read it, no function of its entries changes a value outside it",
            "c2_graph",
            "C3_graph",
            "C3_graph_cut",
            name="universal-graph",
        ),
        Obligation(
            "C3.symbolic",
            f"For all weights, freed parameters and inputs at d={D}, n={N_HIDDEN}, m=1: no output changes, and "
            f"n-{K_FREED} units give the same function",
            Scope.BOUNDED,
            lambda: _symbolic(cut=True),
        ),
        Obligation(
            "C3.everywhere",
            "The planted net, hardcoded: one other choice of the freed parameters, or leaving out their units, gives "
            "the same output at every real input (solver)",
            Scope.INSTANCE,
            _everywhere,
        ),
        Obligation(
            "C3.exact",
            "The same by exact evaluation on every input of training and deployment; the pruned net is of a smaller "
            "class",
            Scope.INSTANCE,
            _planted,
        ),
        Obligation(
            "C3.control-pool",
            "A unit whose weights in affine readers are 0, and which a max-pooling window reads too, changes nothing",
            Scope.BOUNDED,
            channels.other_unit,
            Verdict.REFUTED,
        ),
        Obligation(
            "C3.control",
            "The same as C3.symbolic without cutting the output weights: no output changes",
            Scope.BOUNDED,
            lambda: _symbolic(cut=False),
            Verdict.REFUTED,
        ),
    ),
)
