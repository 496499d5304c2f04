"""Two names of one file system swapped in one step, where the system can."""

import ctypes
import errno
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["exchange"]

AT_FDCWD, RENAME_EXCHANGE = -100, 2
# Of a system, or of a file system, that has no such call.
UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(one: Path, other: Path) -> bool:
    """Swap what two names stand for: at every moment both are there. False where the system cannot; nothing is done.

    Raises
    ------
    OSError
        If one of them is not there, or the swap is not allowed.
    """
    call = _renameat2()
    if call is None:
        return False
    # The event of every other rename: whoever watches these sees this one.
    sys.audit("os.rename", str(one), str(other), -1, -1)
    if call(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in UNKNOWN:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


@cache
def _renameat2() -> Any:
    """The function of the C library; None where it has none."""
    if not sys.platform.startswith("linux"):
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
        call.restype = ctypes.c_int
    return call
