"""What commands do alike: print, show progress, put bad input in one line, end with the exit codes of `checker.cli`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from proof_of_absence.models.files.disk import InputError

if TYPE_CHECKING:
    from dask.distributed import Client

__all__ = [
    "BAD_INPUT", "CERTIFICATES", "INTERRUPTED", "Certificates", "Commands", "Force", "ResultFolder", "Scheduler",
    "Workers", "bad_input", "client_for", "console", "ending", "errors", "needs", "progress", "say", "to_folder",
]  # fmt: skip

BAD_INPUT, INTERRUPTED = 2, 130

console = Console()
errors = Console(stderr=True)

# Where `verify` leaves certificates, unless told otherwise.
CERTIFICATES = Path("certificates")
Certificates = Annotated[Path, typer.Option("--certificates", help="Folder of the certificates.")]
ResultFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder of the result and its plots.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace what other options or others made; never a file that is read."),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes on this machine that take part.")]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="Address of a dask scheduler whose workers take part.")
]


class Commands(TyperGroup):
    """The commands; an interrupt at a moment at which none of them says what it leaves still has its line."""

    def invoke(self, *context: Any, **named: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(*context, **named)
        except KeyboardInterrupt as interrupt:
            _print(errors, "Interrupted.")
            raise typer.Exit(INTERRUPTED) from interrupt


def say(line: str) -> None:
    """Print a line as it is, without markup or colours; on a terminal broken between words, elsewhere not."""
    _print(console, line)


def _print(where: Console, line: str) -> None:
    where.print(line, highlight=False, markup=False, soft_wrap=not where.is_terminal)


def bad_input(message: str) -> typer.Exit:
    """The exception that ends a command, its message printed in one line."""
    _print(errors, f"absence: {message}")
    return typer.Exit(BAD_INPUT)


def to_folder(path: Path, option: str = "--output") -> None:
    """End the command if something other than a folder lies where one is to be."""
    if path.exists() and not path.is_dir():
        raise bad_input(f"{path} is not a folder; name another with {option}")


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """For imports of what an extra installs: if it is missing, the command ends with what to install."""
    try:
        yield
    except ImportError as error:
        raise bad_input(f"{error.name} is missing; install it with pip install 'proof-of-absence[{extra}]'") from error


@contextmanager
def ending(output: Path, interrupted: str, option: str = "--output") -> Iterator[None]:
    """For a command's work: InputError, OSError and an interrupt end it, each with its line and code.

    An OSError says that `output` cannot be written.
    """
    try:
        yield
    except InputError as error:
        raise bad_input(str(error)) from error
    except OSError as error:
        file = Path(error.filename2 or error.filename or output)
        # Files are written under another name first, which would tell nobody anything.
        place = file if file == output or os.path.lexists(file) else file.parent
        raise bad_input(f"{place}: {error.strerror or error}; choose another place with {option}") from error
    except KeyboardInterrupt as interrupt:
        _print(errors, f"Interrupted; {interrupted}")
        raise typer.Exit(INTERRUPTED) from interrupt


def progress(*columns: ProgressColumn) -> Progress:
    """A bar on a terminal, gone when it is done; elsewhere nothing.

    Without columns it shows what is done, how much of it, and the time left.
    """
    columns = columns or (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


@contextmanager
def client_for(scheduler: str | None, workers: int | None) -> Iterator["Client | None"]:
    """A client of dask.distributed, or None if nobody asked for one; what is wrong ends the command."""
    if scheduler is not None and workers is not None:
        raise bad_input("--workers starts processes here, --scheduler asks for them elsewhere; choose one")
    if scheduler is None and workers is None:
        yield None
        return
    with needs("distributed"):
        from proof_of_absence.checker.screen.cluster import cluster
    with ExitStack() as stack:
        try:
            client = stack.enter_context(cluster(scheduler, workers))
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise bad_input(f"{scheduler or 'local workers'}: no scheduler answers there ({reason})") from error
        yield client
