"""Processes of Leaver that start in no time: forked from one that has imported the program.

To import it takes a second of processor time; a suite that starts two hundred processes would
spend minutes on it.  From the first line of the command line on nothing differs from a start by
hand.  That one works too, the tests of `leaver up` and `leaver demo` see.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [__name__, "webhook.cli", "webhook.serve", "workers.app", "gunicorn.workers.gthread"]
)


def start(
    words: list[str], log: Path, environ: dict[str, str], *, errors: Path | None = None
) -> ForkServerProcess:
    """Start `leaver WORDS` in the folder of `log`, to which it writes; its errors to `errors`."""
    process = _CONTEXT.Process(target=_leaver, args=(words, log, errors or log, environ))
    process.start()
    return process


def _leaver(words: list[str], log: Path, errors: Path, environ: dict[str, str]) -> None:
    """Become what a shell would have started, at the head of a process group of its own."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        # Killed with the tests, should they be killed.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.chdir(log.parent)
    os.environ.clear()
    os.environ.update(environ)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, file in ((1, log), (2, errors)):
        with file.open("ab") as output:
            os.dup2(output.fileno(), descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    sys.argv = ["leaver", *words]

    from webhook.cli import main

    main(prog_name="leaver")
