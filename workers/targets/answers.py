"""What an answer means: again, hold, or pause the target.  Pure.

Errors come in many shapes, besides empty bodies and the pages of whatever stands in between
(Atlassian's OpenAPI descriptions and documentation, read 2026-11-23):

    application   {"errors": [{"code": "ADMIN-404-8", "title": "...", "detail": "..."}]}
    key           {"key": "forbidden.action", "context": {...} or "text"}
    gateway       {"code": 401, "message": "..."}
    edge          {"status": 404, "error": "Not Found", "message": "...", "requestId": "..."}
    jira          {"errorMessages": ["..."], "errors": {"field": "..."}}
    crowd         {"reason": "USER_NOT_FOUND", "message": "..."}
    scim          {"status": "409", "scimType": "uniqueness", "detail": "..."}

No shape is assumed: what cannot be read has the code "" and is judged by its status alone.  What a
status and a code mean beyond MEANING, the Dialect of a target says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from workers.errors import LockedOut, Refused, TargetError, Unavailable

#: The longest wait that a target may ask of us.
LONGEST_WAIT = timedelta(hours=6)
DETAIL_LENGTH = 300

#: What is wrong with a body that is a web page, such as that of a server without our address.
WEB_PAGE = "a web page"

ANY = "any"
GATEWAY = "gateway"
EDGE = "edge"
EXTERNAL_DIRECTORY = "externalDirectory"

# A 404 may as well mean a wrong organization, directory or address.  Only these codes say that the
# person is absent.
ABSENT_CODES = frozenset({"ADMIN-404-8", "ADMIN-UAM-404-1", "accountNotFound", "notFound"})

Meanings = Mapping[tuple[int, str], str]  # (status, code) -> a word of workers/reasons.py

MEANING: Meanings = {
    (400, ANY): "request_rejected",
    (401, ANY): "credential_refused",
    (402, ANY): "refused",  # the plan does not include it
    (403, GATEWAY): "credential_refused",
    (403, ANY): "misconfigured",
    (404, ANY): "misconfigured",
    (405, ANY): "misconfigured",
    (407, ANY): "misconfigured",
    (408, ANY): "unavailable",
    (409, ANY): "refused",
    (410, ANY): "misconfigured",
    (421, ANY): "unavailable",
    (425, ANY): "unavailable",
    (429, ANY): "rate_limited",
}

#: What counts instead when the call was about one account.
MEANING_FOR_AN_ACCOUNT: Meanings = {
    (403, EDGE): "misconfigured",
    (403, ANY): "refused",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the codes of one family of APIs mean, beside MEANING and MEANING_FOR_AN_ACCOUNT.

    An entry for a code beats one for ANY; one for an account beats one for all.  `phrases` are for
    refusals of an account that say why in their text only; they beat everything.
    """

    meaning: Meanings = field(default_factory=dict)
    for_an_account: Meanings = field(default_factory=dict)
    phrases: Mapping[tuple[int, re.Pattern[str]], str] = field(default_factory=dict)

    def word(self, status: int, code: str, message: str, *, about_account: bool) -> str:
        """The word of workers/reasons.py for this status, code and message."""
        tables: list[Meanings] = [self.meaning, MEANING]
        if about_account:
            for (on, phrase), word in self.phrases.items():
                if on == status and phrase.search(message):
                    return word
            tables = [self.for_an_account, MEANING_FOR_AN_ACCOUNT, *tables]
        for name in (code, ANY):
            for table in tables:
                if (status, name) in table:
                    return table[status, name]
        return "request_rejected"


_ADMINISTRATOR = re.compile(r"\badmin(istrator)?s?\b(?!-)", re.IGNORECASE)

#: The admin APIs of Atlassian's cloud.
CLOUD = Dialect(
    meaning={
        (403, "ADMIN-UAM-403-1"): "credential_refused",  # what a key with too few scopes gets
        (403, "unauthorized"): "credential_refused",
        (403, "asapUnauthorizedIssuer"): "credential_refused",
        (409, "conflict.lifecycleErrors"): "lifecycle_conflict",
    },
    for_an_account={
        (403, "ADMIN-403-3"): "misconfigured",  # we may not manage the organization
        (403, "ADMIN-UAM-403-2"): "misconfigured",
        (403, EXTERNAL_DIRECTORY): "idp_managed",
        **{(404, code): "account_gone" for code in ABSENT_CODES},
    },
    # The suspend of an organization admin; its code is not published.
    phrases={(400, _ADMINISTRATOR): "administrator"},
)

LOCKED_OUT = frozenset({"rate_limited", "credential_refused", "login_denied", "misconfigured"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end.

    `status` is None where none came, and `flaw` then says why; `flaw` also says why a body could
    not be used.  `code` and `message` are what an error's body says, without personal data.
    `cookies` are those that it sets.
    """

    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    flaw: str = ""
    code: str = ""
    message: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        """Status, code and message, or the flaw, for a person."""
        if self.status is None:
            return self.flaw
        said = ": ".join(part for part in (self.code, self.message) if part)
        return plain(f"{self.status} {said or self.flaw}".strip())


def absent(answer: Answer) -> bool:
    """Whether the target proves that what was asked for by id does not exist."""
    return answer.status == 404 and answer.code in ABSENT_CODES


def managed_elsewhere(answer: Answer) -> bool:
    """Whether the action is refused because an identity provider manages the account."""
    return answer.status == 403 and answer.code == EXTERNAL_DIRECTORY


def perhaps_done(answer: Answer) -> bool:
    """Whether a suspend may be refused only because it was done before; reading back decides.

    What suspending twice answers is documented nowhere; ADMIN-UAM-400-2 means "inactive user".
    """
    inactive = answer.status == 400 and answer.code == "ADMIN-UAM-400-2"
    already = answer.status == 400 and "already" in answer.message.lower()
    return answer.status == 409 or inactive or already


def login_refused(call: str, answer: Answer) -> LockedOut | None:
    """The error that a refused login is, on whatever status it rides, 200 included.

    Jira and Confluence then answer as if nobody had logged in: an empty list, or an error about
    something else.  The values of these headers: Jira's REST documentation and issues JRA-41559
    and ID-6351 (read 2026-11-23).
    """
    said = answer.headers.get("X-Seraph-LoginReason", "")
    denied = answer.headers.get("X-Authentication-Denied-Reason", "")
    if denied or "AUTHENTICATION_DENIED" in said:
        detail = plain(f"{answer.status} {(denied or said).partition(';')[0]}")
        return LockedOut(call, detail, reason="login_denied")
    if "AUTHENTICATED_FAILED" in said:
        return LockedOut(call, plain(f"{answer.status} {said}"), reason="credential_refused")
    return None


def fault_of(
    call: str,
    answer: Answer,
    *,
    dialect: Dialect,
    needs_body: bool,
    about_account: bool,
    now: datetime,
) -> TargetError | None:
    """The error that the answer is, None if it is what was asked for."""
    if answer.status is None:
        return Unavailable(call, answer.flaw)
    if 200 <= answer.status < 300:
        return _fault_of_success(call, answer, needs_body=needs_body)
    reason = _reason(answer, dialect, about_account=about_account)
    asked_for = asked_wait(answer.headers, now)
    if reason == "unavailable":
        return Unavailable(call, answer.text, retry_after=asked_for)
    if reason in LOCKED_OUT:
        wait = asked_for if reason == "rate_limited" else None
        return LockedOut(call, answer.text, reason=reason, retry_after=wait)
    return Refused(call, answer.text, reason=reason)


def _fault_of_success(call: str, answer: Answer, *, needs_body: bool) -> TargetError | None:
    if needs_body and (answer.status != 200 or answer.body is None):
        return Unavailable(call, plain(f"{answer.status} {answer.flaw or 'without an answer'}"))
    if answer.flaw:
        return Unavailable(call, plain(f"{answer.status} {answer.flaw}"))
    return None


def _reason(answer: Answer, dialect: Dialect, *, about_account: bool) -> str:
    status = answer.status or 0
    if status >= 500:
        return "unavailable"
    if status < 400:
        return "misconfigured"  # A redirect, which is never followed: the address is wrong.
    if answer.flaw and (status == 403 or (status == 404 and answer.flaw != WEB_PAGE)):
        return "unavailable"  # No API answers like that: something stands in between, or broke.
    return dialect.word(status, answer.code, answer.message, about_account=about_account)


def problem_of(body: Any) -> tuple[str, str]:
    """The code and the message of an error's body, ("", "") where it has none we know."""
    if not isinstance(body, dict):
        return "", ""
    errors = body.get("errors")
    if isinstance(errors, list):
        return _application_problem([error for error in errors if isinstance(error, dict)])
    key, message = _word(body.get("key")), _word(body.get("message"))
    if key:
        return _key_problem(key, body.get("context"))
    if "error" in body and "status" in body:
        return EDGE, message or _word(body["error"])
    if "code" in body and message:
        return GATEWAY, message
    if "errorMessages" in body:
        return _jira_problem(body["errorMessages"], errors)
    reason = _word(body.get("reason"))
    if re.fullmatch("[A-Z_]+", reason):
        return reason, message
    return _word(body.get("scimType")), message or _word(body.get("detail") or body.get("error"))


def _application_problem(errors: list[dict[str, Any]]) -> tuple[str, str]:
    codes = list(dict.fromkeys(_word(error.get("code")) for error in errors))
    words = (_word(error.get(name)) for error in errors for name in ("title", "detail"))
    said = list(dict.fromkeys(word for word in words if word))
    if len(codes) == 1:
        return codes[0], ". ".join(said)
    return "", ". ".join([*codes, *said])  # Errors that differ prove nothing.


def _jira_problem(messages: Any, errors: Any) -> tuple[str, str]:
    """The field that is refused, if it is one and nothing else is, and all that is said."""
    fields = errors if isinstance(errors, dict) else {}
    general = messages if isinstance(messages, list) else []
    said = [word.rstrip(".") for word in map(_word, (*general, *fields.values())) if word]
    return _word(next(iter(fields))) if len(fields) == 1 and not general else "", ". ".join(said)


def _key_problem(key: str, context: Any) -> tuple[str, str]:
    details = context if isinstance(context, dict) else {}
    reason = details.get("reason")
    reason_key = _word(reason.get("key")) if isinstance(reason, dict) else ""
    if key == "forbidden.action" and reason_key.startswith("externalDirectory."):
        return EXTERNAL_DIRECTORY, f"{key} {reason_key}"
    codes = details.get("errorCodes")
    items = codes if isinstance(codes, list) else []
    words = [_word(item.get("code")) for item in items if isinstance(item, dict)]
    return key, " ".join(word for word in (reason_key, *words) if word)


def _word(value: Any) -> str:
    """A text or a number as plain text, everything else as none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return plain(str(value), 200)


def plain(text: str, length: int = DETAIL_LENGTH) -> str:
    """`text` fit for a record: one printable line, not too long, no e-mail address."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    words = ("<e-mail>" if "@" in word or "%40" in word else word for word in printable.split())
    return " ".join(words)[:length]


def asked_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the target asks us to wait, from none to LONGEST_WAIT; None if it does not say.

    Retry-After in seconds or as a date, else X-RateLimit-Reset, which Atlassian's organization API
    gives as an ISO-8601 date in UTC (its OpenAPI, read 2026-11-23).
    """
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]+", asked):
        return timedelta(seconds=min(float(asked), LONGEST_WAIT.total_seconds()))
    until = _http_date(asked) or _iso_date(headers.get("X-RateLimit-Reset", "").strip())
    return min(max(until - now, timedelta()), LONGEST_WAIT) if until else None


def _http_date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _iso_date(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
