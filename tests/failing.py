"""Every change that a function makes to the file system fails in turn, or the process is killed there.

The changes are seen as audit events of Python (PEP 578): opening to write, renaming, linking, making and deleting
folders, deleting files. fsync has no event and is replaced.
"""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGES = {"os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.truncate"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Turn:
    """Counts changes; at the one whose turn it is, `happens`. None counts nothing."""

    def __init__(self):
        self.left: int | None = None
        self.happens: Callable[[], None] = lambda: None
        self.below = ""
        self._hooked = False

    def change(self) -> None:
        """One more change is about to be made."""
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            self.happens()

    def hook(self) -> None:
        """See every change from now on, which cannot be taken back."""
        if self._hooked:
            return
        self._hooked = True
        # No test takes the power away, and on a disk that others use too each would take long.
        os.fsync = lambda descriptor: self.change()

        def hook(event: str, arguments: tuple) -> None:
            if self.left is None:
                return
            opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
            # What is written elsewhere, by a cache for one, is no target.
            if (event in CHANGES or opened) and any(self.below in str(path) for path in arguments[:2]):
                self.change()

        sys.addaudithook(hook)


TURN = Turn()


@contextmanager
def _turn(number: int, happens: Callable[[], None], below: Path) -> Iterator[None]:
    TURN.hook()
    TURN.left, TURN.happens, TURN.below = number, happens, str(below)
    try:
        yield
    finally:
        TURN.reached, TURN.left = TURN.left <= 0, None


def full() -> None:
    """No space is left."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(work: Callable[[], object], below: Path, prepare: Callable[[], object]) -> Iterator[BaseException | None]:
    """Do the work again and again, each time after `prepare`; the first change below a folder fails, then the second,
    and so on, until all are done. Yields after each what the work raised, or None if it hid the failure.
    """
    for number in range(1, 10_000):
        prepare()
        raised = None
        with _turn(number, full, below):
            try:
                work()
            except Exception as error:
                raised = error
        if not TURN.reached:
            assert raised is None, raised
            return
        yield raised
    raise AssertionError("the work does not end")


def killed(scenario: str, folder: Path) -> None:
    """Run a scenario in a process of its own that has children, each killed (kill -9) before another change.

    A scenario is `module:name` of a function that takes a folder, and returns `prepare`, `work` and `check`. `check`
    is called in the process after each kill, and asserts.
    """
    code = f"from tests.failing import main; main({scenario!r}, {str(folder)!r})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=folder, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr


def main(scenario: str, folder: str) -> None:
    """What `killed` runs."""
    import importlib

    module, _, name = scenario.partition(":")
    prepare, work, check = getattr(importlib.import_module(module), name)(Path(folder))
    TURN.hook()
    kills = 0
    while True:
        prepare()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with _turn(kills + 1, lambda: os.kill(os.getpid(), signal.SIGKILL), Path(folder)):
                    work()
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        check(ended == 0)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL, ended
        kills += 1
    assert kills > 3, kills
    print(kills, "kills")
