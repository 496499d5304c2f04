"""What comes of a claim whose module was changed:
its obligations are built anew, compared with the record, and decided where they are new.

A query or fact that is byte for byte that of the certificate would come to the same; so a mutant
costs only what it changes.
"""

import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from multiprocessing.connection import wait
from pathlib import Path

from proof_of_absence.checker.kernel.discharge import discharge
from proof_of_absence.checker.kernel.obligation import Evidence, Obligation, Query
from proof_of_absence.proofs.chain import CLAIMS

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.proofs import record

__all__ = ["NOTICED", "NOT_NOTICED", "NO_VERDICT", "RECORDED", "SAME", "Came", "judge"]

# A wrong verdict, evidence that is refused, or a module that breaks.
NOTICED = "noticed"
# A solver gave up, or time ran out: `absence verify` fails on it too.
NO_VERDICT = "no verdict"
# Words, verdict, query or fact are not those of tests/proofs/record.json; nothing else was asked, or
# nothing else noticed it.
RECORDED = "differs from the record"
# Every query and fact is the same as without the change.
SAME = "says the same"
# Something else is said, and it comes to the same verdict.
NOT_NOTICED = "not noticed"


@dataclass(frozen=True)
class Came:
    """What came of a mutant, and by which obligation; of one that no check notices, which obligations it changes.

    `recorded` is the first that differs from the record.
    """

    what: str
    by: str
    recorded: str = ""


def judge(
    module: str, sources: Iterable[str], certificates: Path, jobs: int, limit: float, *, record_first: bool = False
) -> Iterator[tuple[int, Came]]:
    """What came of each source of the claim's module, with its number, as they are done; each is given `limit` seconds.

    With `record_first`, nothing is decided that differs from the record.
    """
    context, running = multiprocessing.get_context("fork"), {}
    left = enumerate(sources)
    while True:
        while len(running) < jobs and (task := next(left, None)):
            number, source = task
            here, there = context.Pipe(duplex=False)
            process = context.Process(
                target=_in_its_own_session, args=(there, module, source, certificates, record_first)
            )
            process.start()
            there.close()
            running[here] = number, process, time.monotonic() + limit
        if not running:
            return
        ready = set(wait(list(running), timeout=0.5))
        for here, (number, process, end) in list(running.items()):
            if here in ready or time.monotonic() > end:
                came = Came(NO_VERDICT, "time ran out")
                if here in ready:
                    # A module that takes its process down with it is broken.
                    came = Came(NOTICED, "the process ended")
                    with contextlib.suppress(EOFError):
                        came = here.recv()
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.join()
                del running[here]
                yield number, came


def _in_its_own_session(there, module: str, source: str, certificates: Path, record_first: bool) -> None:
    # So that solvers can be ended with it.
    os.setsid()
    there.send(_came(module, source, certificates, record_first))


def _came(name: str, source: str, certificates: Path, record_first: bool) -> Came:
    module = types.ModuleType(f"proof_of_absence.proofs.{name}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
        claim = module.CLAIM
    except Exception as error:
        return Came(NOTICED, f"{type(error).__name__}: {error}")
    (expected,) = [claim for claim in CLAIMS if claim.id.lower() == name.split("_")[0]]
    if [o.id for o in claim.obligations] != [o.id for o in expected.obligations]:
        return Came(NOTICED, "there are other obligations")
    known = record.on_record()["obligations"]
    kept = [(o, json.loads((certificates / f"{o.id}.json").read_text())) for o in _without_coq(claim.obligations)]
    changed, recorded = [], ""
    # Queries are built in no time, and the solvers refuse most of what is wrong.
    for obligation, certificate in sorted(kept, key=lambda pair: pair[1]["fact"]["kind"] != "smt"):
        try:
            built = obligation.build()
            if record.entry(obligation, built) != known[obligation.id]:
                if record_first:
                    return Came(RECORDED, obligation.id, obligation.id)
                recorded = recorded or obligation.id
            if _same(built, certificate):
                continue
        except Exception as error:
            return Came(NOTICED, f"{obligation.id}: {type(error).__name__}: {error}")
        with tempfile.TemporaryDirectory() as scratch:
            again = replace(obligation, build=lambda built=built: built)
            outcome = discharge(again, "", Path(scratch))
        if outcome.verdict is not obligation.expect:
            what = NO_VERDICT if outcome.verdict == "UNKNOWN" else NOTICED
            return Came(what, f"{obligation.id}: {outcome.verdict} {outcome.reason}", recorded)
        changed.append(obligation.id)
    return Came(NOT_NOTICED if changed or recorded else SAME, ", ".join(changed), recorded)


def _without_coq(obligations: Iterable[Obligation]) -> list[Obligation]:
    """Theorems have mutants of their own."""
    return [obligation for obligation in obligations if not obligation.scope.is_theorem]


def _same(built: Query | Evidence, certificate: dict) -> bool:
    fact = certificate["fact"]
    if isinstance(built, Evidence):
        return json.loads(json.dumps(built.fact)) == fact and built.holds == certificate["holds"]
    text = hashlib.sha256(built.script.text().encode()).hexdigest()
    if (fact["kind"], fact.get("sha256")) != ("smt", text):
        return False
    if built.replay is None or fact["answer"] != "sat":
        return "replay" not in fact
    witness = {n: v if isinstance(v, bool) else Fraction(v) for n, v in fact["witness"].items()}
    return json.loads(json.dumps(built.replay(witness))) == fact.get("replay")
