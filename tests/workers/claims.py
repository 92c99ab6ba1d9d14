"""What an attempt is given: a claim as the ledger would give it, and the order of the settings."""

from typing import Any

from config.settings import Policy, Retry, Verify
from tests.workers.records import HOUR, NOW
from workers.deprovision import Order
from workers.leavers import Action, AttemptId, JobId, LeaverId, Standing
from workers.ledger.moves import Claim


def claim_of(**known: Any) -> Claim:
    """A claim of lena's job, as the ledger would give it."""
    facts: dict[str, Any] = {
        "job": JobId("j1"),
        "leaver": LeaverId("l1"),
        "attempt": AttemptId("t1"),
        "token": 1,
        "worker": "w1",
        "source": "hr",
        "target": "cloud",
        "action": Action.DEACTIVATE,
        "email": "lena@example.com",
        "employee_id": "7",
        "cutoff": NOW,
        "standing": Standing.LEAVING,
        "request_id": "",
        "forced": False,
        "approved": False,
        "round": 1,
        "attempts": 0,
        "tries": 0,
        "account_id": None,
        "snapshot": None,
        "intended_at": None,
        "watched_since": None,
        "outage_at": None,
        "resumed_at": None,
        "working_seconds": 0.0,
        "pauses": 0,
        "probe_call": None,
    }
    return Claim(**(facts | known))


def order(*, operators: tuple[str, ...] = (), verify: str = "60s", **rules: Any) -> Order:
    """What the configuration says; it acts unless told otherwise."""
    return Order(
        policy=Policy.model_validate({"timezone": "UTC", "mode": "act", **rules}),
        brakes={},
        retry=Retry.model_validate({}),
        verify=Verify.model_validate({"timeout": verify}),
        shadow="policy.mode" if rules.get("mode") == "shadow" else "",
        operators=operators,
        idp_grace=4 * HOUR,
    )
