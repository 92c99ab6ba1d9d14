"""The fake of Jira Data Center, under /jira-dc as under the context path of a real one.

api.py         its REST API, as far as it is about users
login.py       who calls: token, Basic, session, and the ways in which Jira refuses them
errors.py      the error shapes
users.py       the users, and how Jira behaves
"""

from workers.sandbox.jira_dc.api import OPERATIONS
from workers.sandbox.jira_dc.errors import no_resource
from workers.sandbox.jira_dc.users import CAST, Settings, User
from workers.sandbox.system import System

JIRA_DC = System("jira-dc", CAST, User, Settings, OPERATIONS, no_resource)
