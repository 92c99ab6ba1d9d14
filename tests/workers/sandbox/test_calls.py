"""The sandbox remembers every call, so that a test can say what must not have happened."""

from concurrent.futures import ThreadPoolExecutor

from workers.sandbox import people
from workers.sandbox.atlassian.org import API_KEY, ORG_ID

SEARCH = f"/admin/v2/orgs/{ORG_ID}/directories/-/users/search"


def manage(person, path):
    return f"/users/{person.account_id}/manage{path}"


def disable(api, person):
    return api.post(manage(person, "/lifecycle/disable"), json={})


def effects(control):
    return [call["effect"] for call in control.get("/writes").json()["writes"]]


def hits(control):
    """How many calls the one order in place fell on."""
    (placed,) = control.get("/faults").json()["orders"]
    return placed["hits"]


def test_calls_are_told_in_order(api, control):
    """What, on whom, and how it ended."""
    api.post(SEARCH, json={"emails": [people.LENA.email]})
    disable(api, people.LENA)

    search, write = control.get("/calls").json()["calls"]
    assert (search["operation"], search["emails"]) == ("users.search", [people.LENA.email])
    assert (search["method"], search["path"], search["status"]) == ("POST", SEARCH, 200)
    assert (write["operation"], write["account_id"]) == (
        "lifecycle.disable",
        people.LENA.account_id,
    )
    assert (write["effect"], write["found"], write["status"]) == ("changed", "active", 204)
    assert write["number"] > search["number"]


def test_a_key_is_told_by_its_fingerprint(api, connect, control):
    """Two keys can be told apart, and neither can be used."""
    api.get(manage(people.LENA, ""))
    connect("another-key").get(manage(people.LENA, ""))
    connect().get(manage(people.LENA, ""))

    answer = control.get("/calls")

    keys = [call["key"] for call in answer.json()["calls"]]
    assert API_KEY not in answer.text
    assert keys[2] is None
    assert len(set(keys)) == 3


def test_a_write_says_what_it_did(api, control):
    """ "changed" twice for one account is what must never be seen."""
    control.post("/faults", json={"fault": "500", "operation": "lifecycle.disable"})
    disable(api, people.LENA)
    control.post("/faults", json={"fault": "lost_write", "operation": "lifecycle.disable"})
    disable(api, people.LENA)
    disable(api, people.LENA)
    disable(api, people.LENA)
    disable(api, people.UNMANAGED)

    assert effects(control) == ["prevented", "lost", "changed", "unchanged", "refused"]


def test_disables_of_inactive_accounts_are_counted(api, control):
    """Only those that arrived; a lost write left the account active."""
    control.post("/faults", json={"fault": "lost_write", "operation": "lifecycle.disable"})
    for _ in range(3):
        disable(api, people.LENA)

    assert control.get("/calls").json()["counters"]["disables_of_inactive"] == 1


def test_writes_that_overlap_on_one_account_are_counted(api, connect, control, eventually):
    """Never two workers on one account at once; one after the other is no matter."""
    disable(api, people.LENA)
    control.post("/faults", json={"fault": "timeout", "operation": "lifecycle.disable"})

    with ThreadPoolExecutor() as threads:
        threads.submit(disable, api, people.LENA)
        eventually(lambda: hits(control) == 1)
        other = connect(API_KEY)
        disable(other, people.TOM)
        disable(other, people.LENA)
        control.delete("/faults")

    counters = control.get("/calls").json()["counters"]
    assert counters["overlapping_writes"] == 1
    assert counters["most_at_once"] == 2


def test_connections_are_counted(api, connect, control):
    """A pooled client uses one for many calls."""
    for client in (api, api, api, connect(API_KEY)):
        client.get(manage(people.LENA, ""))

    counters = control.get("/calls").json()["counters"]
    assert (counters["calls"], counters["connections"]) == (4, 2)


def test_a_call_that_got_no_answer_has_no_status(api, control, eventually):
    """It is finished, but nobody was told how."""
    control.post("/faults", json={"fault": "timeout", "lasts": 0.01})

    with ThreadPoolExecutor() as threads:
        threads.submit(api.get, manage(people.LENA, ""))

    (call,) = control.get("/calls").json()["calls"]
    assert (call["finished"], call["status"], call["fault"]) == (True, None, "timeout")
    assert control.get("/calls").json()["counters"]["statuses"] == {"none": 1}


def test_calls_can_be_narrowed(api, control):
    """By operation, by account, and to those that are new."""
    disable(api, people.LENA)
    disable(api, people.TOM)
    api.get(manage(people.TOM, "/profile"))

    def numbers(**narrowed):
        return [call["number"] for call in control.get("/calls", params=narrowed).json()["calls"]]

    assert numbers(operation="lifecycle.disable") == [1, 2]
    assert numbers(account_id=people.TOM.account_id) == [2, 3]
    assert numbers(since=2) == [3]
    assert control.get("/calls?since=x").status_code == 400


def test_a_call_that_outlives_a_reset_is_not_counted(api, control, eventually):
    """It belongs to the rehearsal before."""
    control.post("/faults", json={"fault": "timeout"})

    with ThreadPoolExecutor() as threads:
        threads.submit(api.get, manage(people.LENA, ""))
        eventually(lambda: hits(control) == 1)
        control.post("/reset")

    counters = control.get("/calls").json()["counters"]
    assert (counters["calls"], counters["statuses"]) == (0, {})
