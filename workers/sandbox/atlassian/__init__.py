"""The fake of Atlassian's cloud.

org.py         Organizations REST API
users.py       User management REST API
accounts.py    how the two tell a person
search.py      the filters of the user search
cursors.py     pages of a list
errors.py      the error shapes
"""

from flask import request

from workers.sandbox.answers import Answer
from workers.sandbox.atlassian import org, users
from workers.sandbox.atlassian.errors import application, edge, keyed
from workers.sandbox.people import CAST, Person
from workers.sandbox.state import Settings
from workers.sandbox.system import System


def unknown(status: int) -> Answer:
    """What an address that no API has is answered."""
    if status == 405:
        return application("ADMIN-UAM-405-1")
    if request.path.startswith("/users/"):
        return keyed(404, "notFound")
    return edge(404, "Not Found")


CLOUD = System("", CAST, Person, Settings, (*org.OPERATIONS, *users.OPERATIONS), unknown)
