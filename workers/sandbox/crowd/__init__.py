"""The fake of Crowd, under /crowd as under the context path of a real one.

api.py         its user management API, as far as it is about users and their sessions
errors.py      the error shapes
users.py       the users of its directories, and how it behaves
"""

from workers.sandbox.crowd.api import OPERATIONS
from workers.sandbox.crowd.errors import web_page
from workers.sandbox.crowd.users import CAST, Settings, User
from workers.sandbox.system import System

CROWD = System("crowd", CAST, User, Settings, OPERATIONS, web_page)
