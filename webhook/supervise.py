"""Several processes as one: started together, started again when they end, stopped together.

One thread, which sleeps until a signal comes; SIGCHLD is one of them.  None is left behind: each
child leads a process group of its own, which is killed with it, and on Linux the system kills
the children of a supervisor that was killed itself.
"""

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self

import structlog

from config.secret import ConfigurationError

log = structlog.get_logger(__name__)

#: Waits, in seconds.  A stop takes less than five: a frozen child is killed after PATIENCE, and the
#: child that the others need until their end has LAST_PATIENCE more.
PATIENCE = 3.0
LAST_PATIENCE = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
READINESS_EVERY = 0.1

#: A child that lived for so long is well: its next pause is the first one again.
WELL_AFTER = 30.0

#: So often within WELL_AFTER a child may refuse its configuration before everything is stopped.
REFUSALS = 5
REFUSED = 2  # the exit code for it

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Stop(Exception):
    """Everything is to be stopped, and `code` is to be the exit code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"exit code {code}")


@dataclass(frozen=True, slots=True)
class Child:
    """A process to be kept running.

    ready           whether the process of this id does its work; asked often, so it answers soon
    ended_early     called when it ended before it was ready, and before it is started again
    ended_for_good  called when everything has been stopped
    reloads         whether SIGHUP makes it read its configuration again
    last            whether the others need it until their end
    keeps           open files that it inherits
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[int], bool]
    ended_early: Callable[[], None] = lambda: None
    ended_for_good: Callable[[], None] = lambda: None
    reloads: bool = True
    last: bool = False
    keeps: tuple[int, ...] = ()


@dataclass(slots=True)
class _Running:
    """What became of a child so far; times are time.monotonic()."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    was_ready: bool = False  # once, whatever came later
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE
    refusals: deque[float] = field(default_factory=lambda: deque(maxlen=REFUSALS))


class Supervisor:
    """Starts and watches children; leaving it stops them all.

    check    raises ConfigurationError if what SIGHUP would have the children read is wrong
    output   where the children write to; else where we do
    env      the environment of the children; else ours
    """

    def __init__(
        self,
        check: Callable[[], object] = lambda: None,
        *,
        output: IO[Any] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._check = check
        self._output = output
        self._env = env
        self._all: list[_Running] = []
        self._terminals = [fd for fd in (0, 1, 2) if os.isatty(fd)]

    def __enter__(self) -> Self:
        self._signals, write_end = socket.socketpair()
        write_end.setblocking(False)
        self._write_end = write_end
        self._wakeup_before = signal.set_wakeup_fd(write_end.fileno(), warn_on_full_buffer=False)
        ours = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
        # The handlers do nothing: a signal is read from the socket, when it can be dealt with.
        self._handlers_before = {one: signal.signal(one, lambda *_: None) for one in ours}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._stop()
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._signals.close()
        self._write_end.close()

    def start(self, *children: Child) -> None:
        """Start these; they are watched by watch()."""
        for child in children:
            running = _Running(child)
            self._all.append(running)
            self._start(running)

    def pid(self, name: str) -> int | None:
        """The process id of a child while it runs."""
        found = next(one.process for one in self._all if one.child.name == name)
        return found.pid if found else None

    @property
    def waits_for(self) -> list[str]:
        """The names of the children that do not do their work yet."""
        return [one.child.name for one in self._all if not one.ready]

    def watch(self, seconds: float) -> None:
        """Watch for at most so long; returns early when something happened.  Raises Stop."""
        pauses = [one.start_at - time.monotonic() for one in self._all if one.process is None]
        checks = [READINESS_EVERY] if self.waits_for else []
        numbers = self._sleep(min([seconds, *pauses, *checks]))
        if {signal.SIGINT, signal.SIGTERM} & numbers:
            raise Stop(0)
        if signal.SIGHUP in numbers:
            self._reload()
        for one in self._all:
            if one.process is None:
                if one.start_at <= time.monotonic():
                    self._start_again(one)
            elif one.process.poll() is not None:
                self._note_end(one)
            elif not one.ready:
                one.ready = one.child.ready(one.process.pid)
                one.was_ready = one.was_ready or one.ready

    def watch_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Watch until it is true; False if it is not in time.  Raises Stop."""
        deadline = time.monotonic() + seconds
        while not (held := condition()) and time.monotonic() < deadline:
            self.watch(READINESS_EVERY)
        return held

    def _start(self, one: _Running) -> None:
        one.started_at = time.monotonic()
        one.process = subprocess.Popen(  # noqa: S603 - our own program
            one.child.argv,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            env=self._env,
            pass_fds=one.child.keeps,
            process_group=0,
            preexec_fn=_dying_with_us(),  # safe: we have one thread
        )

    def _start_again(self, one: _Running) -> None:
        try:
            self._start(one)
        except OSError as error:
            # No memory, no process to be had: no reason to take the others down as well.
            log.error("child not started", child=one.child.name, error=str(error))
            one.start_at = time.monotonic() + LONGEST_PAUSE

    def _note_end(self, one: _Running) -> None:
        """Find out what the end of a child means, and when it is to be started again."""
        code, now = self._reap(one), time.monotonic()
        if not one.ready:
            one.child.ended_early()
        one.ready = False
        if now - one.started_at > WELL_AFTER:
            one.pause = FIRST_PAUSE
        log.warning("child ended", child=one.child.name, code=code, starts_again_in_s=one.pause)
        if code == REFUSED:
            one.refusals.append(now)
            often = len(one.refusals) == REFUSALS and now - one.refusals[0] < WELL_AFTER
            if often or not one.was_ready:
                log.error("stopping all", child=one.child.name, because="it refuses to start")
                raise Stop(REFUSED)
        one.start_at = now + one.pause
        one.pause = min(2 * one.pause, LONGEST_PAUSE)

    def _reload(self) -> None:
        if self._terminals and not any(os.isatty(fd) for fd in self._terminals):
            # It was closed: nobody asked for a new configuration.
            raise Stop(0)
        try:
            self._check()
        except ConfigurationError as error:
            log.error("configuration refused", error=str(error))
            return
        for one in self._all:
            if one.child.reloads:
                self._send(one, signal.SIGHUP)
        log.info("configuration passed on")

    def _stop(self) -> None:
        deadline = time.monotonic() + PATIENCE
        self._end([one for one in self._all if not one.child.last], deadline)
        last = [one for one in self._all if one.child.last]
        self._end(last, max(deadline, time.monotonic()) + LAST_PATIENCE)
        for one in self._all:
            one.child.ended_for_good()

    def _end(self, ending: Iterable[_Running], deadline: float) -> None:
        """SIGTERM, and SIGKILL when the deadline or another request to stop comes."""
        alive = [one for one in ending if one.process is not None]
        for one in alive:
            self._send(one, signal.SIGTERM)
        numbers: set[int] = set()
        while alive and time.monotonic() < deadline and signal.SIGINT not in numbers:
            numbers = self._sleep(deadline - time.monotonic())
            for one in [one for one in alive if one.process and one.process.poll() is not None]:
                self._reap(one)
                alive.remove(one)
        because = "asked again" if signal.SIGINT in numbers else "it did not stop"
        for one in alive:
            log.warning("child killed", child=one.child.name, because=because)
            self._reap(one)

    def _send(self, one: _Running, number: signal.Signals) -> None:
        if one.process is not None:
            one.process.send_signal(number)

    def _reap(self, one: _Running) -> int | None:
        """Kill what is left of its process group; gives its exit code, negative for a signal."""
        process, one.process = one.process, None
        if process is None:
            return None
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only zombies are
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()

    def _sleep(self, seconds: float) -> set[int]:
        """Sleep until signals come; gives their numbers."""
        readable, _, _ = select.select([self._signals], [], [], max(seconds, 0))
        return set(self._signals.recv(4096)) if readable else set()


def _dying_with_us() -> Callable[[], None] | None:
    """What a child does before it becomes another program: on Linux, ask to be killed with us."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # It was too late to ask.

    return ask
