"""What Jira and Confluence Data Center have in common: the credential, and how they refuse."""

import re

from config.secret import Secret
from config.targets import DataCenter
from workers.targets.answers import ANY, Dialect
from workers.targets.credentials import Basic, Bearer, Credential, Login

_READ_ONLY = re.compile(r"read[- ]only|not allow updates", re.IGNORECASE)

#: A refusal comes as 400 or 403 with its reason in a text, which no page publishes.  In Jira the
#: field `active` has one only where the user leads a project or a component.
DIALECT = Dialect(
    for_an_account={(400, "active"): "project_lead", (400, ANY): "refused"},
    phrases={(400, _READ_ONLY): "read_only_directory", (403, _READ_ONLY): "read_only_directory"},
)


def credential_of(settings: DataCenter) -> Credential:
    """The token, or username and password, as `auth` says; config/targets.py checks them."""
    match settings.auth, settings.token, settings.username, settings.password:
        case "token", Secret() as token, _, _:
            return Bearer(token)
        case "basic", _, str(username), Secret() as password:
            return Basic(username, password)
        case "session", _, str(username), Secret() as password:
            return Login(username, password)
    raise ValueError(f'auth = "{settings.auth}" without its credential')
