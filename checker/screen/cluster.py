"""Where a long command may spread its work: the processes of this machine, or the workers of a dask scheduler."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        with Client(scheduler, timeout=10) as client:
            yield client
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as local,
        Client(local) as client,
    ):
        yield client
