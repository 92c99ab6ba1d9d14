"""The kinds of HR systems we know: one module, and one line here, for each."""

from collections.abc import Callable, Mapping
from typing import Any

from webhook.sources import bamboohr, finch, generic, gusto, hibob, okta, standard, workday
from webhook.sources.base import Source

SOURCES: Mapping[str, Source[Any]] = {
    "bamboohr": bamboohr,
    "finch": finch,
    "generic": generic,
    "gusto": gusto,
    "hibob": hibob,
    "okta": okta,
    "standard": standard,
    "workday": workday,
}

#: What a sender wants to hear instead of 202; with 204 goes no body.
SUCCESS = {"hibob": 200, "okta": 204}

#: What to answer a sender that first asks with a GET, rightly signed, whether the address is ours.
#: Takes the headers with lower-case names; raises Rejected.
Handshake = Callable[[Mapping[str, str]], dict[str, str]]
HANDSHAKES: Mapping[str, Handshake] = {"okta": okta.handshake}

#: Which sender first posts something that says nothing, to hear whether the address is ours; it
#: need not be signed, and nothing is recorded of it.
PINGS: Mapping[str, Callable[[bytes], bool]] = {"hibob": hibob.is_ping}

#: Which sender posts the key of its signatures by itself, not signed: takes the body and gives the
#: key, or "".  An operator must confirm it.
KEY_OFFERS: Mapping[str, Callable[[bytes], str]] = {"gusto": gusto.offered_key}
