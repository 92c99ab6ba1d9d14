"""The pages of leavers: the list, and one person with all that was said and done."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from config.sources import OPERATOR
from webhook.acts.jobs import ACTS
from webhook.console import access
from webhook.console.situation import at
from workers.leavers import LeaverId
from workers.ledger import trail
from workers.ledger.queries import NotFound
from workers.ledger.queries import leavers as kept
from workers.ledger.queries.leavers import KeptLeaver, LeaverFilter, Person
from workers.ledger.users import Role

pages = Blueprint("leavers", __name__, url_prefix="/leavers")

PAGE = 50

#: The fields of the list's filter.
FIELDS = ("email", "employee_id", "source")

#: Jobs that are shown beside the leavers of one page.
JOBS = 1000


@pages.get("")
def listed() -> ResponseReturnValue:
    """The leavers that fit, newest first."""
    words = {name: request.args.get(name, "").strip() for name in FIELDS}
    said = {name: word for name, word in words.items() if word}
    after = request.args.get("after")
    found = kept.listed(
        at().ledger,
        LeaverFilter(**said),
        limit=PAGE + 1,
        after=LeaverId(after) if after else None,
    )
    shown = found[:PAGE]
    return render_template(
        "leavers.html",
        leavers=shown,
        jobs=kept.jobs_by_leaver(at().ledger, shown, most=JOBS),
        older=len(found) > PAGE,
        after=after,
        said=said,
        sources=[*at().settings.sources, OPERATOR],
    )


@pages.get("/<leaver>")
def one(leaver: str) -> ResponseReturnValue:
    """One person, the e-mail addresses masked."""
    return _shown(leaver, reveal=False)


@pages.post("/<leaver>/reveal")
@access.needs(Role.OPERATOR)
def reveal(leaver: str) -> ResponseReturnValue:
    """The same with the addresses; who looked is in the audit trail."""
    looked(leaver)
    return _shown(leaver, reveal=True)


def looked(leaver: str) -> KeptLeaver:
    """A leaver whose address is about to be shown; the audit trail keeps it."""
    found = _of(_person(leaver), leaver)
    about, actor = f"leaver {found.id}", access.current().actor
    trail.looked(at().ledger, about=about, actor=actor, now=at().now())
    return found


def _shown(leaver: str, *, reveal: bool) -> ResponseReturnValue:
    person = _person(leaver)
    return render_template(
        "leaver.html",
        person=person,
        leaver=_of(person, leaver),
        reveal=reveal,
        acts=ACTS.values(),
    )


def _person(leaver: str) -> Person:
    try:
        return kept.person(at().ledger, LeaverId(leaver))
    except NotFound as error:
        abort(404, str(error))


def _of(person: Person, leaver: str) -> KeptLeaver:
    return next(each for each in person.leavers if each.id == leaver)
