"""The fake of a directory of Atlassian's user provisioning (SCIM 2.0), under /scim.

api.py         finding, reading and patching users
users.py       the users, and how the directory behaves
"""

from workers.sandbox.answers import Answer
from workers.sandbox.scim.api import OPERATIONS, refused
from workers.sandbox.scim.users import CAST, Settings, User
from workers.sandbox.system import System


def unknown(status: int) -> Answer:
    """What an address that the API does not have is answered."""
    return refused(status, "No such resource")


SCIM = System("scim", CAST, User, Settings, OPERATIONS, unknown)
