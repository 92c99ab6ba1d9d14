"""The README says what the program says: its tables of words are those of the code."""

import re
from collections.abc import Mapping
from pathlib import Path

from config.targets import KINDS
from workers.leavers import OUTCOMES
from workers.reasons import ELEMENT, JOB, REJECTED, Reason

README = Path(__file__).parent.parent / "README.md"


def test_the_outcomes_in_the_readme_are_those_of_the_program():
    """An operator who looks a word up must find it, with the meaning it has now."""
    rows = [f"| `{outcome}` | {meaning} |" for outcome, meaning in OUTCOMES.items()]

    assert section("outcomes") == "\n".join(["| outcome | means |", "|---|---|", *rows])


def test_the_reasons_in_the_readme_are_those_of_the_program():
    """The person called at night reads the README: each word with what to do."""
    expected = "\n\n".join(
        [
            "Of a job:",
            table(JOB),
            "Of a delivery or one person in it:",
            table(ELEMENT),
            "Of a rejected delivery, in log and metrics (the sender hears only 401):",
            table(REJECTED),
        ]
    )

    assert section("reasons") == expected


def test_the_targets_in_the_readme_are_those_of_the_settings():
    """Somebody who chooses one must find every kind, with settings that exist."""
    rows = [row.split("|")[1:-1] for row in section("targets").splitlines()[2:]]

    assert [kind.strip(" `") for kind, _, _ in rows] == list(KINDS)
    for kind, _, needs in rows:
        fields = KINDS[kind.strip(" `")].model_fields
        named = re.findall(r"`([a-z_]+)", needs)
        required = {name for name, field in fields.items() if field.is_required()} - {"kind"}
        assert required <= set(named) <= set(fields)


def table(reasons: Mapping[str, Reason]) -> str:
    rows = [f"| `{word}` | {reason.means} | {reason.to_do} |" for word, reason in reasons.items()]
    return "\n".join(["| reason | means | what to do |", "|---|---|---|", *rows])


def section(name: str) -> str:
    found = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- end -->", README.read_text(), re.DOTALL)
    assert found, f"README.md lost its section {name}"
    return found[1].strip()
