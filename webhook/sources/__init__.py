"""The kinds of HR systems we know: one module, and one line here, for each."""

from collections.abc import Mapping
from typing import Any

from webhook.sources import bamboohr, standard
from webhook.sources.base import Source

SOURCES: Mapping[str, Source[Any]] = {
    "bamboohr": bamboohr,
    "standard": standard,
}
