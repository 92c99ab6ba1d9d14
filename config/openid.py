"""The settings of the OpenID provider where people sign in to the console."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from config.section import Section, setting
from config.values import BaseUrl, KeysUrl, Listed, Password, Text, base_url, keys_url, mapped

#: The roles of the console (workers/ledger/users.py).
RoleName = Literal["viewer", "operator", "approver"]


def _issuer(value: object) -> str:
    """As the provider spells it itself, with or without a slash at its end."""
    base_url(value)
    return keys_url(value)


def _console_url(value: object) -> str:
    return keys_url(base_url(value))


def _somebody(roles: dict[str, RoleName]) -> dict[str, RoleName]:
    if not roles:
        raise ValueError('names no group; use { "it-admins" = "operator" } or the like')
    return roles


Issuer = Annotated[KeysUrl, BeforeValidator(_issuer)]
ConsoleUrl = Annotated[BaseUrl, BeforeValidator(_console_url)]
Roles = Annotated[dict[Text, RoleName], BeforeValidator(mapped), AfterValidator(_somebody)]


class OpenId(Section):
    """Where people sign in with the account that they have anyway."""

    issuer: Issuer = setting(
        "The provider, as its discovery document names itself, such as https://login.example.com."
    )
    client_id: Text = setting("What the provider calls Leaver.")
    client_secret: Password = setting("What proves Leaver to the provider.")
    public_url: ConsoleUrl = setting(
        "Where browsers reach the console, such as https://leaver.example.com; at the provider, "
        "allow this with /sign-in/openid/back behind it as the redirect URI."
    )
    roles: Roles = setting(
        "The role that each group gives: viewer, operator or approver; of several the highest. Who "
        "is in none of these groups is not let in."
    )
    scopes: Listed[Text] = setting(
        "What the provider is asked for beside openid; some tell the groups only for a scope such "
        'as "groups".',
        ("email", "profile"),
    )
    groups_claim: Text = setting("The claim that lists the groups of a person.", "groups")
    name_claim: Text = setting(
        "The claim by which the audit trail names a person; where it is missing, "
        "preferred_username, else sub.",
        "email",
    )
