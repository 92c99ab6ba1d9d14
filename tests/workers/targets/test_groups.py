"""The groups of an account: all of them, or an error; somebody may be in the protected one."""

from typing import Any

import pytest

from config.targets import KINDS
from tests.workers.targets.books import Book
from tests.workers.targets.scripted import ScriptedServer, answer
from workers.errors import Refused, TargetError
from workers.leavers import AccountId
from workers.limits import Unlimited
from workers.sandbox.crowd import users as crowd
from workers.targets import build
from workers.targets.base import Access, Account, Way

LENA = Account(AccountId("lena"), "lena@example.com", Access.ACTIVE, Way.DEACTIVATE, "lena")
CREDENTIALS: dict[str, dict[str, Any]] = {
    "atlassian-org": {"org_id": "an-organization", "api_key": "test-key-not-a-secret"},
    "atlassian-scim": {"directory_id": "a-directory", "api_key": "test-key-not-a-secret"},
    "jira-dc": {"token": "test-token-not-a-secret"},
    "confluence-dc": {"token": "test-token-not-a-secret"},
    "crowd": {"application": "leaver", "password": "test-password-not-a-secret"},
    "jira-cloud-site": {"email": "it@example.com", "api_token": "test-token-not-a-secret"},
}

#: What each target would have to say of somebody in the groups a and b.
WHOLE: dict[str, Any] = {
    "atlassian-org": {"data": [{"name": "a"}, {"name": "b"}]},
    "atlassian-scim": {"id": "lena", "groups": [{"display": "a"}, {"display": "b"}]},
    "jira-dc": {"key": "lena", "groups": {"size": 2, "items": [{"name": "a"}, {"name": "b"}]}},
    "confluence-dc": {"results": [{"name": "a"}, {"name": "b"}], "_links": {}},
    "crowd": {"groups": [{"name": "a"}, {"name": "b"}]},
    "jira-cloud-site": {
        "accountId": "lena",
        "groups": {"size": 2, "items": [{"name": "a"}, {"name": "b"}]},
    },
}
NOT_WHOLE: list[tuple[str, Any]] = [
    ("atlassian-org", {"data": None}),
    ("atlassian-org", {"data": [{"name": "a"}, {"id": "b"}]}),
    ("atlassian-org", {"data": [{"name": "a"}, None]}),
    ("atlassian-org", {"data": [{"name": "a"}], "links": {"next": "again and again"}}),
    ("atlassian-scim", {"id": "lena"}),
    ("atlassian-scim", {"id": "lena", "groups": None}),
    ("atlassian-scim", {"id": "lena", "groups": [{"value": "a"}]}),
    ("atlassian-scim", {"id": "bob", "groups": []}),
    ("jira-dc", {"key": "lena"}),
    ("jira-dc", {"key": "lena", "groups": {"size": 2, "items": []}}),
    ("jira-dc", {"key": "lena", "groups": {"size": 1, "items": [{"self": "a"}]}}),
    ("jira-dc", {"key": "bob", "groups": {"size": 0, "items": []}}),
    ("confluence-dc", {"results": None}),
    ("confluence-dc", {"results": [{"type": "group"}], "_links": {}}),
    ("confluence-dc", {"results": [], "_links": {"next": "/again"}}),
    ("crowd", {"groups": None}),
    ("crowd", {"groups": [{"link": "a"}]}),
    ("crowd", {"groups": [{"name": f"group-{number}"} for number in range(1000)]}),
    ("jira-cloud-site", {"accountId": "lena"}),
    ("jira-cloud-site", {"accountId": "lena", "groups": {"size": 1, "items": []}}),
    ("jira-cloud-site", {"accountId": "bob", "groups": {"size": 0, "items": []}}),
]


def groups_of(kind, *answers):
    """What a target makes of these answers."""
    with ScriptedServer(*answers) as server:
        known = {"kind": kind, "base_url": server.base_url, **CREDENTIALS[kind]}
        target = build("one", KINDS[kind].model_validate(known), Unlimited())
        return target.groups(Book(), LENA)


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_list_is_told(kind):
    """Else what follows would hold for a target that never tells."""
    assert groups_of(kind, answer(200, WHOLE[kind])) == ("a", "b")


@pytest.mark.parametrize(("kind", "body"), NOT_WHOLE)
def test_a_list_that_is_not_whole_is_an_error(kind, body):
    """Missing, cut, without a name, about somebody else: each could hide the protected group."""
    with pytest.raises(TargetError):
        groups_of(kind, answer(200, body))


def test_a_user_without_a_list_of_groups_is_for_a_person():
    """SCIM may leave an empty list out; so may a directory that shows no groups at all."""
    with pytest.raises(Refused) as refused:
        groups_of("atlassian-scim", answer(200, {"id": "lena"}))

    assert refused.value.reason == "unclear_account"


def test_crowd_tells_groups_within_groups(control):
    """The board is in the group of all executives."""
    place = control.of("/crowd")
    place.change(crowd.LENA, groups=["board"], nested=["executives"])
    known = {"kind": "crowd", "base_url": f"{control.base_url}/crowd"}
    known |= {"application": crowd.APPLICATION, "password": crowd.PASSWORD}
    target = build("one", KINDS["crowd"].model_validate(known), Unlimited())
    [lena] = target.find(Book(), crowd.LENA.email)

    assert target.groups(Book(), lena) == ("board", "executives")
    place.close()
