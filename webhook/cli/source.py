"""`leaver source`: the keys that an HR system posted by itself, and whether they count."""

from collections.abc import Callable
from typing import Any

import click

from webhook.cli import options
from webhook.cli.output import note, say, show_json, table, when
from webhook.cli.situation import Situation, actor, log_errors_only, now


@click.group()
def source() -> None:
    """Confirm the key that an HR system posted by itself."""


@source.command()
@options.as_json
@click.pass_obj
def keys(at: Situation, json_: bool) -> None:
    """List the keys that came by themselves.

    Who posted one is unknown.  Give a key that waits back to the HR system, which takes only its
    own (Gusto: PUT /v1/webhook_subscriptions/ID/verify); then confirm it.
    """
    from workers.ledger import key_offers

    with at.ledger(at.settings()) as ledger:
        found = key_offers.offers(ledger)
    if json_:
        for each in found:
            show_json(each)
        return
    table(
        ("source", "id", "offered", "confirmed", "key"),
        [
            (
                each.source,
                each.id,
                when(each.offered_at),
                when(each.confirmed_at) if each.confirmed_at else "waits",
                each.key,
            )
            for each in found
        ],
    )
    if any(not each.confirmed_at for each in found):
        note("Give the key back to the HR system, which takes only its own; then")
        note("`leaver source confirm SOURCE ID --reason TEXT`, or `leaver source forget` it.")


@source.command()
@click.argument("name", metavar="SOURCE")
@click.argument("key_id", metavar="ID")
@options.why
@click.pass_obj
def confirm(at: Situation, name: str, key_id: str, why: str) -> None:
    """Take deliveries of SOURCE that are signed with this key, from now on."""
    from workers.ledger import key_offers

    _act(at, key_offers.confirm, name, key_id, why)
    say(f"{name}: deliveries signed with {key_id} are taken from now on")


@source.command()
@click.argument("name", metavar="SOURCE")
@click.argument("key_id", metavar="ID")
@options.why
@click.pass_obj
def forget(at: Situation, name: str, key_id: str, why: str) -> None:
    """Forget a key, also one that was confirmed."""
    from workers.ledger import key_offers

    _act(at, key_offers.forget, name, key_id, why)
    say(f"{name}: {key_id} is forgotten")


def _act(at: Situation, act: Callable[..., bool], name: str, key_id: str, why: str) -> Any:
    log_errors_only()
    with at.ledger(at.settings()) as ledger:
        if not act(ledger, name, key_id, actor=actor(), why=why, now=now()):
            raise click.ClickException(f"no such key of {name}; `leaver source keys` lists them")
