"""Where a long command may spread its work: the processes of this machine, or the workers of a dask scheduler."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dask.distributed import Client, LocalCluster

__all__ = ["cluster"]


@contextmanager
def cluster(scheduler: str | None = None, workers: int | None = None) -> Iterator[Client]:
    """A client of the scheduler at this address, or of `workers` processes on this machine.

    Raises
    ------
    OSError
        If no scheduler answers there.
    """
    if scheduler is not None:
        with _connected(scheduler) as client:
            yield client
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client


def _connected(scheduler: str) -> Client:
    """A client of the scheduler. If two messages come at once, distributed calls that a fault: it is tried again."""
    for _ in range(3):
        with suppress(AssertionError):
            return Client(scheduler, timeout=10)
    return Client(scheduler, timeout=10)
