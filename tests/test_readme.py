"""The README says what the program says: its tables of words are those of the code."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from config import checks
from config.targets import KINDS
from tests.workers.targets.books import Book
from webhook.doctor import check
from workers.leavers import OUTCOMES
from workers.limits import Unlimited
from workers.reasons import ELEMENT, JOB, REJECTED, Reason
from workers.sandbox.app import create_app
from workers.sandbox.people import TOM
from workers.sandbox.server import Server
from workers.sandbox.state import Settings
from workers.shadow.verdicts import VERDICTS
from workers.targets import build

README = Path(__file__).parent.parent / "README.md"


def test_the_outcomes_in_the_readme_are_those_of_the_program():
    """An operator who looks a word up must find it, with the meaning it has now."""
    rows = [f"| `{outcome}` | {meaning} |" for outcome, meaning in OUTCOMES.items()]

    assert section("outcomes") == "\n".join(["| outcome | means |", "|---|---|", *rows])


def test_the_verdicts_in_the_readme_are_those_of_the_program():
    """Somebody decides by them whether to go live."""
    rows = [f"| `{verdict}` | {meaning} |" for verdict, meaning in VERDICTS.items()]

    assert section("verdicts") == "\n".join(["| verdict | means |", "|---|---|", *rows])


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


def test_the_codes_in_the_readme_are_those_of_the_program():
    """Whoever sees one in a log looks it up there."""
    rows = [f"| `{code}` | {about} |" for code, about in (checks.CODES | check.CODES).items()]

    assert section("checks") == "\n".join(["| code | is about |", "|---|---|", *rows])


def test_the_targets_in_the_readme_are_those_of_the_settings():
    """Somebody who chooses one must find every kind, with settings that exist."""
    rows = [row.split("|")[1:-1] for row in section("targets").splitlines()[2:]]

    assert [kind.strip(" `") for kind, _, _ in rows] == list(KINDS)
    for kind, _, needs in rows:
        fields = KINDS[kind.strip(" `")].model_fields
        named = re.findall(r"`([a-z_]+)", needs)
        required = {name for name, field in fields.items() if field.is_required()} - {"kind"}
        assert required <= set(named) <= set(fields)


def test_every_target_of_the_readme_works_on_the_sandbox_as_written_there():
    """Whoever copies a row must not have to guess why it is refused."""
    rows = [row.split("|")[1:-1] for row in section("sandbox").splitlines()[2:]]
    limit = Unlimited()

    assert [kind.strip(" `") for kind, _, _ in rows] == list(KINDS)
    with Server(create_app(Settings(latency=timedelta()))) as sandbox:
        for kind, base_url, credential in rows:
            url = base_url.strip(" `").replace("http://127.0.0.1:8002", sandbox.base_url)
            known = dict(re.findall(r'`([a-z_]+) = "([^"]+)"`', credential))
            name = kind.strip(" `")
            settings = KINDS[name].model_validate({"kind": name, "base_url": url, **known})
            with build(name, settings, limit).session(Book()) as target:
                target.prove_credential(Book())
                assert len(target.find(Book(), TOM.email)) == 1


def table(reasons: Mapping[str, Reason]) -> str:
    rows = [f"| `{word}` | {reason.means} | {reason.to_do} |" for word, reason in reasons.items()]
    return "\n".join(["| reason | means | what to do |", "|---|---|---|", *rows])


def section(name: str) -> str:
    found = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- end -->", README.read_text(), re.DOTALL)
    assert found, f"README.md lost its section {name}"
    return found[1].strip()
