"""The fake of a Jira behind the old user management API, under /jira-um1.

api.py         that API, as far as it is about users; login, users and error shapes are those of
               workers/sandbox/jira_dc
"""

from workers.sandbox.jira_dc.errors import no_resource
from workers.sandbox.jira_dc.users import CAST, Settings, User
from workers.sandbox.jira_um1.api import OPERATIONS
from workers.sandbox.system import System

JIRA_UM1 = System("jira-um1", CAST, User, Settings, OPERATIONS, no_resource)
