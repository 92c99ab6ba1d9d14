"""What a receiver must be able to fetch for a source."""

from collections.abc import Iterator

from config.sources import Source, Workday
from webhook.doctor.check import Check, Result
from webhook.jwks import Unfetched, fetch


def keys_published(name: str, own: Source) -> Iterator[Check]:
    """Whether the keys of its tokens can be had, where it publishes them."""
    if not isinstance(own, Workday) or not own.jwks_url:
        return
    where = f"sources.{name}"
    try:
        keys = fetch(own.jwks_url)
    except Unfetched as why:
        hint = f"deliveries are answered 503 until it can: check {where}.jwks_url and the network"
        yield Check("D008", where, Result.ATTENTION, f"keys not fetched: {why}", hint)
        return
    algorithms = ", ".join(sorted({key.algorithm for key in keys}))
    yield Check("D008", where, Result.OK, f"{len(keys)} keys published ({algorithms})")
