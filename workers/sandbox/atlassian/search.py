"""The body of a user search: what it must be, and whom it finds.

https://developer.atlassian.com/cloud/admin/organization/rest/, `MultiDirectoryUserSearchRequest` of
the description of 2026-08-21 (read 2026-11-23).
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Len
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from workers.sandbox.answers import Refused
from workers.sandbox.atlassian.accounts import (
    DIRECTORY_IDS,
    MembershipStatus,
    Status,
    claim_status,
    membership_status,
    status,
)
from workers.sandbox.atlassian.errors import application
from workers.sandbox.people import Person

Some = Annotated[list[str], Len(1, 10)]
Limit = Annotated[int, Field(ge=1, le=100)]


@dataclass(frozen=True, slots=True)
class Search:
    """The filters that the fake knows; any other field is refused, as a wrong one is."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    emails: Annotated[list[str], Len(1, 100)] | None = None
    search_term: str | None = None
    account_ids: Some | None = None
    directory_ids: Some | None = None
    email_domains: Some | None = None
    claim_status: Literal["managed", "unmanaged"] | None = None
    account_status: Annotated[list[Literal["active", "inactive", "closed"]], Len(1, 3)] | None = (
        None
    )
    membership_status: Annotated[list[MembershipStatus], Len(1, 3)] | None = None
    status: Annotated[list[Status], Len(1, 4)] | None = None
    expand: list[Literal["platformRoles", "counts.resources", "productAccess", "groups"]] = field(
        default_factory=list
    )
    limit: Limit = 50
    cursor: str | None = None

    def __post_init__(self) -> None:
        if self.emails is not None and self.search_term is not None:
            raise ValueError("emails and searchTerm are mutually exclusive")
        if len(set(self.emails or ())) < len(self.emails or ()):
            raise ValueError("emails must be unique")


_SEARCH = TypeAdapter(Search)


def parse(body: str | bytes) -> Search:
    """Refused with 400 unless the body is a search."""
    try:
        return _SEARCH.validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(application("ADMIN-UAM-400-1", f"{where}: {first['msg']}")) from error


def as_query(wanted: Search) -> dict[str, Any]:
    """The search as a body again, to be kept in a cursor."""
    query: dict[str, Any] = _SEARCH.dump_python(wanted, by_alias=True, exclude_none=True)
    return query


def finds(wanted: Search, person: Person) -> bool:
    """Whether the person passes every filter but `emails`, which the index has applied."""
    term = (wanted.search_term or "").lower()
    domain = person.email.split("@")[1]
    directories = {DIRECTORY_IDS[name] for name in person.directories}
    return (
        (term in person.name.lower() or term in person.email.lower())
        and (wanted.account_ids is None or person.account_id in wanted.account_ids)
        and (wanted.directory_ids is None or not directories.isdisjoint(wanted.directory_ids))
        and (wanted.email_domains is None or domain in wanted.email_domains)
        and wanted.claim_status in (None, claim_status(person))
        and (wanted.account_status is None or person.account_status in wanted.account_status)
        and (
            wanted.membership_status is None
            or membership_status(person) in wanted.membership_status
        )
        and (wanted.status is None or status(person) in wanted.status)
    )
