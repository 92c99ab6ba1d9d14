"""What is written into the audit trail beside the moves of jobs; read in queries/trail.py."""

from datetime import datetime

import sqlalchemy as sa

from workers.leavers import DeliveryId, JobId
from workers.ledger import tables as t
from workers.ledger.store import Ledger


def looked(
    ledger: Ledger,
    job: JobId | None = None,
    delivery: DeliveryId | None = None,
    about: str = "",
    *,
    actor: str,
    now: datetime,
) -> None:
    """Somebody looked at what is hidden otherwise, of a job, of a delivery, or `about` what."""
    entry = {"at": now, "actor": actor, "action": "look", "job_id": job, "delivery_id": delivery}
    with ledger.write() as tx:
        tx.execute(sa.insert(t.audit).values(entry | {"detail": about}))
