"""The fake of Confluence Data Center, under /confluence-dc as under a real one's context path.

api.py         its REST API, as far as it is about users
login.py       who calls, and the ways in which Confluence refuses a credential
errors.py      the error shapes
users.py       the users, and how Confluence behaves
"""

from workers.sandbox.confluence_dc.api import OPERATIONS
from workers.sandbox.confluence_dc.errors import no_resource
from workers.sandbox.confluence_dc.users import CAST, Settings, User
from workers.sandbox.system import System

CONFLUENCE_DC = System("confluence-dc", CAST, User, Settings, OPERATIONS, no_resource)
