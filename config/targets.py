"""The settings of the Atlassian systems, one class for each kind of target.

What two settings of one target get wrong together, `faults` says; settings.py asks for it.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from config.secret import Secret
from config.section import Fault, Section, secrets_of, setting
from config.values import (
    BaseUrl,
    Day,
    DirectoryId,
    Duration,
    Email,
    FilePath,
    Flag,
    HeaderSecret,
    Mode,
    Operator,
    OrgId,
    Password,
    Username,
    Whole,
    is_loopback,
)

CLOUD_API = "https://api.atlassian.com"

#: Days before a credential expires on which that is said again.
WARNED_BEFORE = (30, 14, 7, 1)


class Target(Section):
    """An Atlassian system, whatever its kind."""

    #: Whether a person's account is behind the credential, which must not be switched off.
    has_owner: ClassVar[bool] = True

    #: Whether it can be asked for the groups of an account.
    tells_groups: ClassVar[bool] = True

    base_url: BaseUrl = setting("Where it is reached, such as https://jira.example.com.")
    operated_by: Email | None = setting(
        "E-mail address of who made the key: this account is never deactivated.", None
    )
    key_expires_on: Day | None = setting(
        "Day on which the credential expires, such as 2027-05-01; warned about 30, 14, 7 and 1 "
        "days before.",
        None,
    )
    mode: Mode | None = setting(
        'Its own mode; "shadow" wins over "act" wherever it stands. Left out: policy.mode.',
        None,
    )
    concurrency: Whole = setting(
        "Jobs that all workers together do at once in this target.", 8, ge=1, le=64
    )
    calls_per_second: Whole = setting(
        "Calls a second that all workers together make to this target.", 20, ge=1, le=1000
    )
    ca_bundle: FilePath | None = setting(
        "PEM file, or folder of such files, with the certificates to trust instead of the usual "
        "ones; a relative path begins at the folder of this file.",
        None,
    )
    insecure: Flag = setting(
        "true lets the credential go over http://, where everybody in between can read it.", False
    )

    @property
    def secrets(self) -> dict[str, Secret]:
        """Those of its settings that nobody may see, as far as they are set."""
        return dict(secrets_of(self))

    @property
    def operators(self) -> tuple[str, ...]:
        """E-mail addresses and usernames of the account behind the credential."""
        return (self.operated_by,) if self.operated_by else ()

    def expiry(self, today: date) -> str:
        """That the credential expires, in words that change at each warning; "" before the first.

        `today` is a day in UTC.
        """
        if self.key_expires_on is None:
            return ""
        left = (self.key_expires_on - today).days
        if left < 0:
            return f"expired on {self.key_expires_on}"
        near = [days for days in WARNED_BEFORE if left <= days]
        if not near:
            return ""
        span = "1 day" if near[-1] == 1 else f"{near[-1]} days"
        return f"expires on {self.key_expires_on}, {span} or less from now"

    def faults(self) -> Iterator[Fault]:
        """What is wrong between its settings."""
        parts = urlsplit(self.base_url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.insecure:
            sentence = (
                "must begin with https:// (http:// only to this machine itself, or with "
                "insecure = true)"
            )
            yield Fault("base_url", self.base_url, sentence)


class AtlassianOrg(Target):
    """An organization in Atlassian's cloud."""

    kind: Literal["atlassian-org"] = setting("What it is: an organization in Atlassian's cloud.")
    base_url: BaseUrl = setting("Where its API begins.", CLOUD_API)
    org_id: OrgId = setting("Id of the organization; admin.atlassian.com shows it under API keys.")
    api_key: HeaderSecret = setting("API key of the organization; only workers read it.")
    idp_grace: Duration = setting(
        "How long an account that an identity provider syncs is only watched; then its job is "
        "held.",
        "4h",
    )


class AtlassianScim(Target):
    """A directory of Atlassian's cloud whose provisioning source is Leaver."""

    has_owner: ClassVar[bool] = False

    kind: Literal["atlassian-scim"] = setting(
        "What it is: a directory in Atlassian's cloud that Leaver itself provisions."
    )
    base_url: BaseUrl = setting("Where its API begins.", CLOUD_API)
    directory_id: DirectoryId = setting("Id of the directory: the last part of its SCIM base URL.")
    api_key: HeaderSecret = setting("SCIM API key of the directory; only workers read it.")


class SelfHosted(Target):
    """A system on the company's own servers; its accounts have usernames."""

    operated_by: Operator | None = setting(
        "E-mail address or username of the account behind the credential: it is never deactivated.",
        None,
    )

    def faults(self) -> Iterator[Fault]:
        """Also where the address is one of Atlassian's cloud."""
        yield from super().faults()
        if is_cloud(self.base_url):
            sentence = 'is in the cloud of Atlassian; use kind = "atlassian-org"'
            yield Fault("base_url", self.base_url, sentence)


class DataCenter(SelfHosted):
    """Jira or Confluence, with a personal access token or with username and password."""

    auth: Literal["token", "basic", "session"] = setting(
        '"token" needs token; "basic" and "session" (a login with a cookie) need username and '
        "password.",
        "token",
    )
    token: HeaderSecret | None = setting(
        "Personal access token of an administrator; only workers read it.", None
    )
    username: Username | None = setting(
        "Username of an administrator: this account is never deactivated.", None
    )
    password: Password | None = setting("Its password; only workers read it.", None)

    @property
    def operators(self) -> tuple[str, ...]:
        """Also the username that logs in."""
        return (*super().operators, *([self.username] if self.username else []))

    def faults(self) -> Iterator[Fault]:
        """Also credentials that `auth` needs, or does not use."""
        yield from super().faults()
        needed = {"token"} if self.auth == "token" else {"username", "password"}
        hint = '; for username and password set auth = "basic"' if self.auth == "token" else ""
        for key in ("token", "username", "password"):
            is_set = getattr(self, key) is not None
            if is_set and key not in needed:
                yield Fault(key, None, f'is not used with auth = "{self.auth}"; remove one of them')
            if key in needed and not is_set:
                yield Fault(key, None, f'is missing: auth = "{self.auth}" needs it{hint}')


class JiraDC(DataCenter):
    """Jira Data Center or Server."""

    kind: Literal["jira-dc"] = setting("What it is: Jira Data Center or Server.")


class ConfluenceDC(DataCenter):
    """Confluence Data Center or Server."""

    kind: Literal["confluence-dc"] = setting("What it is: Confluence Data Center or Server.")
    usernames: Literal["any", "email", "local-part"] = setting(
        'What its usernames are: "email", the e-mail address; "local-part", what stands before its '
        '@; "any", neither: users are then looked for in the whole list of active ones, which '
        "shows addresses since Confluence 10.2.",
        "any",
    )
    auth: Literal["token", "basic"] = setting(
        '"token" needs token; "basic" needs username and password.', "token"
    )


class Crowd(SelfHosted):
    """Crowd."""

    has_owner: ClassVar[bool] = False

    kind: Literal["crowd"] = setting("What it is: Crowd.")
    application: Username = setting("Name of the application that Crowd knows Leaver by.")
    password: Password = setting("Password of the application; only workers read it.")


class JiraCloudSite(Target):
    """One Jira site of Atlassian's cloud, without the key of its organization."""

    kind: Literal["jira-cloud-site"] = setting(
        "What it is: one Jira site in Atlassian's cloud, without the key of its organization."
    )
    base_url: BaseUrl = setting("Address of the site, such as https://acme.atlassian.net.")
    email: Email = setting(
        "E-mail address of a site administrator: this account is never deactivated."
    )
    api_token: Password = setting("API token of this administrator; only workers read it.")

    @property
    def operators(self) -> tuple[str, ...]:
        """Also the account that logs in."""
        return (*super().operators, self.email)

    def faults(self) -> Iterator[Fault]:
        """Also where the address is not one of Atlassian's cloud."""
        yield from super().faults()
        if not is_cloud(self.base_url) and not is_loopback(urlsplit(self.base_url).hostname or ""):
            sentence = 'is not a site such as https://acme.atlassian.net; or use kind = "jira-dc"'
            yield Fault("base_url", self.base_url, sentence)


class JiraUm1(SelfHosted):
    """Jira behind the old user management API."""

    tells_groups: ClassVar[bool] = False

    kind: Literal["jira-um1"] = setting(
        "What it is: an older Jira with the user management API /admin/rest/um/1."
    )
    username: Username = setting("Username of an administrator: this account is never deactivated.")
    password: Password = setting("Its password; only workers read it.")

    @property
    def operators(self) -> tuple[str, ...]:
        """Also the username that logs in."""
        return (*super().operators, self.username)


def is_cloud(url: str) -> bool:
    """Whether an address is one of Atlassian's cloud."""
    host = urlsplit(url).hostname or ""
    return host == "api.atlassian.com" or host.endswith((".atlassian.net", ".jira.com"))


KINDS: dict[str, type[Target]] = {
    "atlassian-org": AtlassianOrg,
    "atlassian-scim": AtlassianScim,
    "jira-dc": JiraDC,
    "confluence-dc": ConfluenceDC,
    "crowd": Crowd,
    "jira-cloud-site": JiraCloudSite,
    "jira-um1": JiraUm1,
}

TargetSettings = Annotated[
    AtlassianOrg | AtlassianScim | JiraDC | ConfluenceDC | Crowd | JiraCloudSite | JiraUm1,
    Field(discriminator="kind"),
]
