"""What `preset` sets of a generic source: how a sender signs, and how its bodies look.

A preset is only values; each of them can be set in the file instead.  Where a comment says that
something is not confirmed, a wrong value refuses or quarantines what comes.  github, stripe and
slack say only how many senders sign: their bodies are those of the defaults.

    deel       hex HMAC-SHA256 of "POST" and the body.  https://developer.deel.com/api/webhooks
    merge      base64url HMAC-SHA256 of the body.  https://docs.merge.dev/basics/webhooks
    personio   hex HMAC-SHA256 of the body.  https://developer.personio.de/v2.0/reference/webhooks
    github     X-Hub-Signature-256: sha256=hex of the body
    stripe     Stripe-Signature: t=seconds,v1=hex of "seconds.body"
    slack      X-Slack-Signature: v0=hex of "v0:seconds:body"

(All read 2026-11-23.)
"""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Not confirmed: the names in `resource`, and which events besides contract.terminated there
    # are; Deel's Developer Center shows an example of each.  An event may be ahead of its date.
    "deel": {
        "signature_header": "X-Deel-Signature",
        "signed": "POST{body}",
        "people": "data.resource",
        "event": "$.data.meta.event_type",
        "terminated": ["contract.terminated"],
        "corrected": [],
        "rescinded": [],
        "rehired": [],
        "fields": {
            "worker.email": "email",
            "worker.id": "employee_id",
            "termination_date": "termination_date",
            "$.data.meta.tracking_id": "event_id",
            "$.timestamp": "happened_at",
        },
    },
    # Merge tells the state of an employee.  INACTIVE without a termination date may be a leave, so
    # only the date counts.  Subscribe to changes of employees alone.  Not confirmed: whether the
    # signature has its padding; both are taken.
    "merge": {
        "signature_header": "X-Merge-Webhook-Signature",
        "encoding": "base64url",
        "people": "data",
        "event": "employment_status",
        "terminated": ["INACTIVE"],
        "corrected": [],
        "rescinded": [],
        "rehired": ["ACTIVE"],
        "fields": {
            "work_email": "email",
            "id": "employee_id",
            "termination_date": "termination_date",
            "modified_at": "happened_at",
        },
        "cutoff_order": ["termination_date"],
    },
    # Personio sends employment.terminated on the day itself, and no personal data: its leavers wait
    # as missing_email.  Not confirmed: the header, and the names in `payload`.
    "personio": {
        "signature_header": "X-Personio-Signature",
        "people": "payload",
        "event": "$.event_name",
        "terminated": ["employment.terminated"],
        "corrected": [],
        "rescinded": [],
        "rehired": ["employment.started"],
        "fields": {
            "person.email": "email",
            "person.id": "employee_id",
            "$.occurred_at": "happened_at",
        },
        "undated": "now",
    },
    "github": {
        "signature_header": "X-Hub-Signature-256",
        "signature_prefix": "sha256=",
        "id_header": "X-GitHub-Delivery",
    },
    "stripe": {
        "signature_header": "Stripe-Signature",
        "signature_part": "v1",
        "timestamp": "t",
        "signed": "{timestamp}.{body}",
    },
    "slack": {
        "signature_header": "X-Slack-Signature",
        "signature_prefix": "v0=",
        "timestamp": "X-Slack-Request-Timestamp",
        "signed": "v0:{timestamp}:{body}",
    },
}
