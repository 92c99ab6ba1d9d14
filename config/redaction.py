"""Taking personal data and secrets out of what is logged, kept as a detail, or shown.

E-mail addresses are masked anywhere in a text; so is what looks like a key: a field named after one
(api_key, x-bamboohr-signature), the same in a text or a header line, the password in a URL, and
tokens whose shape is known.  Ids, hashes and paths stay as they are.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from config.secret import MASK

EMAIL = "[e-mail]"
USER = "[secret]"  # without * , or user@host in a URL would look like an e-mail address
MAX_DEPTH = 8  # levels of nested values; what lies deeper is treated as text

# An address, and those that follow without a gap.  Each run of characters is tried once, from its
# beginning, so that a hostile text costs time in proportion to its length.  Where a URL writes %40
# for the @, the characters that part a URL end the run.
_RUN = r"[\w.!#$%&'*+/=?^`{|}~-]"
_URL_RUN = r"[\w.!#$%'*+^`{|}~-]"
_DOMAIN = r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]*"
_EMAIL = re.compile(rf"(?<!{_RUN}){_RUN}++@{_DOMAIN}(?:{_RUN}*+@{_DOMAIN})*")
_EMAIL_IN_URL = re.compile(rf"(?<!{_URL_RUN}){_URL_RUN}+%40{_DOMAIN}(?:{_URL_RUN}*%40{_DOMAIN})*")

_KEYS = "authorization|secrets?|api[_-]?key|password|passwd|token|signature"
_KEY_FIELD = re.compile(rf"(?:.*[_-])?(?:{_KEYS})", re.IGNORECASE | re.DOTALL)
_QUOTED = r"""b?"[^"\r\n]*"|b?'[^'\r\n]*'"""
# A header line, up to its end: Authorization: Bearer x
_HEADER = re.compile(
    rf"""((?:authorization|-signature|-token|-key)["']?\s*:\s*)(?:{_QUOTED}|[^\r\n]+)""",
    re.IGNORECASE,
)
# key=value, and 'key': ['value'] as Python and JSON write it
_REST = r"""[^\s,;&)\]}]"""
_PAIR = re.compile(
    rf"""((?:{_KEYS})(?:["']?\s*=\s*|["']\s*:\s*))"""
    rf"""(?:(?:{_QUOTED}|\[[^\[\]]*\]){_REST}*|{_REST}+)""",
    re.IGNORECASE,
)
# Keys of Standard Webhooks, Atlassian's API keys and tokens
_TOKEN = re.compile(r"\b(?:whsec_|whsk_|ATCTT|ATATT)[\w+/=.-]+")
# redis://:password@host
_USER_OF_URL = re.compile(r"(?<=://)[^/\s@]+@")


def redact(text: str) -> str:
    """The text without e-mail addresses and secrets."""
    if "=" in text or ":" in text:
        text = _PAIR.sub(rf"\1{MASK}", _HEADER.sub(rf"\1{MASK}", text))
    text = _TOKEN.sub(MASK, text)
    if "@" in text:
        text = _EMAIL.sub(EMAIL, _USER_OF_URL.sub(f"{USER}@", text))
    if "%40" in text:
        text = _EMAIL_IN_URL.sub(EMAIL, text)
    return text


def plain(value: object, depth: int = 0) -> object:
    """A value as JSON can hold it, redacted at every level."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redact(value)
        case datetime():
            return value.isoformat()
        case Mapping() if depth < MAX_DEPTH:
            return fields({str(key): entry for key, entry in value.items()}, depth + 1)
        case list() | tuple() | set() | frozenset() if depth < MAX_DEPTH:
            return [plain(entry, depth + 1) for entry in value]
    return redact(_text(value))


def fields(table: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """A table as JSON can hold it; the value of a field named after a key is masked whole."""
    return {
        redact(name): MASK if _KEY_FIELD.fullmatch(name) else plain(value, depth)
        for name, value in table.items()
    }


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  Any object may be logged, and logging never raises.
        return f"<{type(value).__name__}>"
