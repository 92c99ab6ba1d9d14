"""Connections that keep to a deadline, however slowly the other side answers.

The time-out of a socket starts again with every byte, so an answer that drips could hold a worker
for longer than its lease.  On these connections every read gets no more than the time that is left,
and nothing is sent once that time is over: no write leaves late, even after a name server or a
frozen process has eaten the time between the leave to write and the sending.
"""

import io
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def deadline(budget: timedelta) -> Iterator[None]:
    """Give all that this thread sends and reads inside the block `budget` from now, in sum."""
    token = _ends_at.set(time.monotonic() + budget.total_seconds())
    try:
        yield
    finally:
        _ends_at.reset(token)


def _seconds_left() -> float:
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _Incoming(io.RawIOBase):
    """The bytes of one socket, each read bounded by its own time-out and by the deadline."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._patience = sock.gettimeout() or math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._patience, _seconds_left()))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """Reads status, headers and body through _Incoming; a proxy's answer to CONNECT as well."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Incoming(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _seconds_left()
        super().send(data)


class _TLSConnection(_Connection, HTTPSConnection):
    """The same inside TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class DeadlineAdapter(HTTPAdapter):
    """The adapter of requests with these connections, straight or through an HTTP proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        if isinstance(manager, ProxyManager):  # Not SOCKS, which brings its own connections.
            manager.pool_classes_by_scheme = _POOLS
        return manager
