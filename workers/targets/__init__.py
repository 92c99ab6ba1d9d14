"""The Atlassian systems Leaver can work on, by the `kind` of their settings."""

from collections.abc import Callable
from typing import Any

from config.settings import TargetSettings
from workers.targets.atlassian_org import AtlassianOrg
from workers.targets.atlassian_scim import AtlassianScim
from workers.targets.base import Limit, Target
from workers.targets.confluence_dc import ConfluenceDC
from workers.targets.crowd import Crowd
from workers.targets.jira_cloud_site import JiraCloudSite
from workers.targets.jira_dc import JiraDC
from workers.targets.jira_um1 import JiraUm1

# Each takes the settings of its own kind, which no type can say of a table.
BUILDERS: dict[str, Callable[[str, Any, Limit], Target]] = {
    "atlassian-org": AtlassianOrg,
    "atlassian-scim": AtlassianScim,
    "confluence-dc": ConfluenceDC,
    "crowd": Crowd,
    "jira-cloud-site": JiraCloudSite,
    "jira-dc": JiraDC,
    "jira-um1": JiraUm1,
}


def build(name: str, settings: TargetSettings, limit: Limit) -> Target:
    """The target of this name; nothing is connected yet."""
    return BUILDERS[settings.kind](name, settings, limit)
