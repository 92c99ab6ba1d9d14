"""The queue: how Celery and we reach it, and the embedded one.

It may lose everything it holds: the ledger is the truth, a message in it only a wake-up call.  So
what matters here is that nobody ever waits for it long.

    embedded                                     a private Valkey in the home folder
    redis://host:6379/0, rediss://, unix:///path
                                                 Redis or Valkey, as redis-py writes them
    sentinel://host:26379/MASTER/0;sentinel://host:26379
                                                 Redis behind Sentinel: its master's name, database
                                                 and password stand in the first URL
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from config.secret import ConfigurationError
from workers.embedded import Embedded

if TYPE_CHECKING:
    from redis import Redis

EMBEDDED = "embedded"

#: Every key begins with it: the server may be shared, and two Celery programs that share
#: kombu's key `unacked` would run each other's messages again.
KEY_PREFIX = "leaver:"


def broker_url(url: str, home: Path) -> str:
    """queue.url as kombu wants it."""
    if url.startswith("sentinel://"):
        return _Sentinels.of(url).broker_url()
    parts = urlsplit(_redis_url(url, home))
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if parts.scheme == "unix":
        login = parts.netloc
        if "password" in options:
            login = f"{parts.username or ''}:{quote(options['password'], safe='')}@"
        return f"redis+socket://{login}{parts.path}?virtual_host={options.get('db', '0')}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in options:
        # kombu checks no certificate unless it is told to; redis-py does.
        query = f"{parts.query}&ssl_cert_reqs=required".lstrip("&")
        return parts._replace(query=query).geturl()
    return url


def celery_options(url: str, home: Path) -> dict[str, Any]:
    """Celery's settings for a queue of wake-ups that nobody waits for long.

    Acknowledged before they run, never retried, no results, no times ahead: all that is the
    ledger's.  Names and defaults as in celery 5.7 and kombu 5.7.
    """
    transport: dict[str, Any] = {
        "global_keyprefix": KEY_PREFIX,
        # Without these a publish to a frozen server hangs for ever.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 25,
        # More than threads of a worker, each may need one at the same time; not opened ahead.
        "max_connections": 200,
        # A message whose worker died between taking and acknowledging it comes again after five
        # minutes, which is harmless; the ledger's lease has brought the job back long before.
        "visibility_timeout": 300,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
    if url.startswith("sentinel://"):
        transport["master_name"] = _Sentinels.of(url).master
    return {
        "broker_url": broker_url(url, home),
        "broker_transport_options": transport,
        "broker_pool_acquire_timeout": 5,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker never gives up on its queue
        "task_default_queue": "leaver",
        "task_ignore_result": True,
        "task_acks_late": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_enable_remote_control": False,
    }


def redis_client(url: str, home: Path, *, patience: timedelta = timedelta(seconds=2)) -> "Redis":
    """A client that gives up after `patience` for an answer, or at most a second to connect.

    It connects lazily.  A connection that the server closed meanwhile is opened once more; a
    time-out is not repeated.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    options: dict[str, Any] = {
        "socket_connect_timeout": min(1.0, patience.total_seconds()),
        "socket_timeout": patience.total_seconds(),
        "retry": Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    }
    if url.startswith("sentinel://"):
        return _Sentinels.of(url).client(**options)
    client: Redis = redis.Redis.from_url(_redis_url(url, home), **options)
    return client


def require_running(url: str, home: Path) -> None:
    """Raise ConfigurationError if the queue is the embedded one and nobody has started it."""
    if url == EMBEDDED and not Embedded(home).is_listening():
        raise ConfigurationError(
            "the embedded queue is not running, or runs for another user: "
            "start `leaver up`, or set queue.url"
        )


def _redis_url(url: str, home: Path) -> str:
    return f"unix://{quote(str(Embedded(home).socket))}" if url == EMBEDDED else url


@dataclass(frozen=True, slots=True)
class _Sentinels:
    """A queue.url of Sentinels, taken apart."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    database: str
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> Self:
        each = [urlsplit(one) for one in url.split(";")]
        master, _, database = each[0].path.strip("/").partition("/")
        if not master:
            raise ConfigurationError(
                "queue.url names no master; write it like sentinel://host:26379/mymaster"
            )
        return cls(
            tuple((one.hostname or "localhost", one.port or 26379) for one in each),
            unquote(master),
            database or "0",
            unquote(each[0].username) if each[0].username else None,
            unquote(each[0].password) if each[0].password else None,
        )

    def broker_url(self) -> str:
        """kombu takes any of them at random, so each is written out."""
        login = ":".join(quote(word or "", safe="") for word in (self.user, self.password))
        at = f"{login}@" if self.password else ""
        hosts = [f"[{host}]" if ":" in host else host for host, _ in self.hosts]
        return ";".join(
            f"sentinel://{at}{host}:{port}/{self.database}"
            for host, (_, port) in zip(hosts, self.hosts, strict=True)
        )

    def client(self, **options: Any) -> "Redis":
        from redis.sentinel import Sentinel

        # redis-py has no types for it.
        sentinel: Any = Sentinel(list(self.hosts), **options)  # type: ignore[no-untyped-call]
        login = {"username": self.user, "password": self.password, "db": int(self.database)}
        master: Redis = sentinel.master_for(self.master, **login, **options)
        return master
