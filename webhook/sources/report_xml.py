"""A Workday report in XML, read into rows.

    <wd:Report_Data xmlns:wd="urn:com.workday.report/Leavers">
      <wd:Report_Entry><wd:Employee_ID>21001</wd:Employee_ID> ... </wd:Report_Entry>
    </wd:Report_Data>

The namespace does not matter.  A column that holds elements of its own counts as its Descriptor;
one that comes twice in a row is a list, which no reader of fields takes.  DTDs and entities are
refused.  That a report looks like this is general knowledge, not from a page of Workday's: not
confirmed.
"""

from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from webhook.sources.fields import Unreadable

MAX_DEPTH = 16  # levels of elements

Row = dict[str, Any]


def rows_of_xml(body: bytes) -> list[Row]:
    """The rows in an XML document.  Raises Unreadable."""
    report = _Report()
    parser = DefusedXMLParser(target=report, forbid_dtd=True)
    try:
        parser.feed(body)
        parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable("the body is not XML, or has a DTD") from None
    return report.rows


class _Report:
    """Takes what the parser finds: level 1 is the report, 2 a row, 3 a column."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._depth = 0
        self._row: Row | None = None
        self._text: list[str] = []
        self._descriptor: str | None = None
        self._has_elements = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        name = _local(tag)
        if self._depth > MAX_DEPTH:
            raise Unreadable("the body has too many levels")
        if self._depth == 1 and name != "Report_Data":
            raise Unreadable("the body is not a report")
        if self._depth == 2:
            self._row = {} if name == "Report_Entry" else None
        elif self._depth == 3:
            named = {_local(key): value for key, value in attributes.items()}
            self._text, self._descriptor = [], named.get("Descriptor")
            self._has_elements = False
        elif self._depth == 4:
            self._has_elements = True

    def data(self, text: str) -> None:
        """Text, perhaps not all of it."""
        if self._depth == 3:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        if self._depth == 3 and self._row is not None:
            name, value = _local(tag), self._value()
            self._row[name] = [self._row[name], value] if name in self._row else value
        elif self._depth == 2 and self._row is not None:
            self.rows.append(self._row)
        self._depth -= 1

    def close(self) -> None:
        """The document ends."""

    def _value(self) -> Any:
        if self._has_elements:
            return [] if self._descriptor is None else self._descriptor
        return "".join(self._text).strip()


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
