"""Whatever acts is done once: a program sends a key with it, and repeats it with the same key.

The header is that of draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from collections.abc import Callable

from flask import Response, abort, current_app, request

from webhook.api import access, problems
from webhook.console.situation import at
from workers.ledger import answers
from workers.ledger.answers import Question

HEADER = "Idempotency-Key"

#: In an answer that was given before.
AGAIN = "Idempotency-Replayed"


def answered(act: Callable[[], Response]) -> Response:
    """The answer to this request: of the act, or the one that was given before."""
    key = request.headers.get(HEADER, "")
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        abort(400, f"send {HEADER}: 1 to 255 plain characters, new for each thing you ask for")
    said = b"\n".join((request.method.encode(), request.path.encode(), request.get_data()))
    asked = Question(access.token().name, key, hashlib.sha256(said).hexdigest())
    known = answers.begin(at().ledger, asked, at().now())
    if known is None:
        response = act()
        answers.keep(at().ledger, asked, response.status_code, response.get_data(as_text=True))
        return response
    if known.hash != asked.hash:
        return problems.told(422, f"this {HEADER} was sent with something else before")
    if known.status is None or known.body is None:
        return problems.told(
            409,
            f"what was asked for with this {HEADER} is being done, or broke off on the way: look "
            "what became of it before you ask with another",
        )
    kind = "application/json" if known.status < 400 else problems.CONTENT_TYPE
    again = current_app.response_class(known.body, known.status, content_type=kind)
    again.headers[AGAIN] = "true"
    return again
