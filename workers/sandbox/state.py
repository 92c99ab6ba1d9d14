"""The state of the faked cloud: its people, and how it behaves."""

from dataclasses import dataclass
from typing import Literal

from workers.sandbox.people import Person
from workers.sandbox.records import Pace, Records


@dataclass(frozen=True, slots=True)
class Settings(Pace):
    """How the cloud behaves.

    disable_again            what a disable of an inactive account answers
    suspend_again            what a suspend of a suspended user answers
    suspend_everywhere       whether suspend and restore take `-` for "in every directory"

    Of these, and of `search_ignores_case`, Atlassian says nothing, so a client must be right with
    either value.
    """

    disable_again: Literal[204, 409] = 204
    suspend_again: Literal[204, 409] = 204
    suspend_everywhere: bool = False


State = Records[Person, Settings]
