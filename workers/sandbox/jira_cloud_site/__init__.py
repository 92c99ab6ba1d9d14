"""The fake of one Jira site of Atlassian's cloud, under /jira-cloud-site.

api.py         its REST API 3, as far as it is about users and their groups
users.py       the users, and how the site behaves
"""

from workers.sandbox.answers import Answer
from workers.sandbox.jira_cloud_site.api import OPERATIONS, refused
from workers.sandbox.jira_cloud_site.users import CAST, Settings, User
from workers.sandbox.system import System


def unknown(status: int) -> Answer:
    """What an address that the site does not have is answered."""
    return refused(status, "No resource")


JIRA_CLOUD_SITE = System("jira-cloud-site", CAST, User, Settings, OPERATIONS, unknown)
