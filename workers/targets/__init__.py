"""The Atlassian systems Leaver can work on, by the `kind` of their settings."""

from config.settings import AtlassianOrg as AtlassianOrgSettings
from workers.targets.atlassian_org import AtlassianOrg
from workers.targets.base import Target

BUILDERS = {"atlassian-org": AtlassianOrg}


def build(name: str, settings: AtlassianOrgSettings) -> Target:
    """The target of this name; nothing is connected yet."""
    return BUILDERS[settings.kind](name, settings)
