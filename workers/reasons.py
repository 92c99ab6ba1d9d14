"""Every reason word, once: what it means and what to do.

README and command line take them from here.

A reason stands beside a job (why it is held, retried or failed), beside an element or delivery
(why it was ignored or quarantined) and beside a rejected delivery.  Imports nothing of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """`means` for the reader of a list, `to_do` for the person who was called."""

    means: str
    to_do: str


JOB: Mapping[str, Reason] = {
    # Waits for its time.
    "cutoff_ahead": Reason(
        "The instant from which access must be gone is still ahead.",
        "Nothing. `leaver cancel ID --reason TEXT` if HR took it back.",
    ),
    # Held: a person decides.
    "operator_hold": Reason(
        "An operator held it.", "`leaver release ID --reason TEXT` when it may go on."
    ),
    "source_held": Reason(
        "An operator holds the whole source; what comes from it is recorded and waits.",
        "`leaver holds` shows who and why. `leaver release --source NAME --reason TEXT` lets "
        "all of it go on; `leaver hold ID` before that keeps one back, `leaver cancel ID` ends it.",
    ),
    "target_held": Reason(
        "An operator holds the whole target.",
        "`leaver holds` shows who and why. `leaver release --target NAME --reason TEXT` lets "
        "all of it go on; `leaver hold ID` before that keeps one back, `leaver cancel ID` ends it.",
    ),
    "brake": Reason(
        "More leavers than policy.brake or sources.X.brake allows would have been acted on; "
        "everybody after them waits.",
        "See `leaver brake`. Cancel what HR should not have sent; if the others really leave, "
        "`leaver brake release --leavers N --reason TEXT`: they go on by themselves.",
    ),
    "approval_missing": Reason(
        "policy.approve asks for a second person, and nobody has approved what this round of the "
        "job is about to do.",
        "Somebody with the role approver, other than who asked for it, approves or refuses it on "
        "the job's page of the console. `leaver explain ID` says what would be done. Where "
        "policy.approve was changed since, `leaver replay ID --reason TEXT`.",
    ),
    "protected": Reason(
        "policy.protected names the e-mail address, the employee id, the account or a group of it.",
        "`leaver job ID` says which entry. If the person really leaves: take it off, then "
        "`leaver release ID --reason TEXT`; else `leaver cancel`.",
    ),
    "email_domain": Reason(
        "The e-mail address is of a domain that policy.email_domains does not list.",
        "Add the domain and `leaver release ID --reason TEXT`, or `leaver cancel`.",
    ),
    "operated_by": Reason(
        "It is the account behind a credential of Leaver's own (targets.X.operated_by), in this "
        "target or another one.",
        "Move the credential to another administrator first, change operated_by, then release.",
    ),
    "ambiguous_match": Reason(
        "More than one account has exactly this e-mail address.",
        "Deactivate the right one by hand in Atlassian, then `leaver replay ID --reason TEXT`.",
    ),
    "email_mismatch": Reason(
        "The account that was found, or is to be given back, has another e-mail address.",
        "Look the person up by hand: an alias or a changed address. Act by hand, or correct HR.",
    ),
    "administrator": Reason(
        "The account is an organization or site administrator, which Atlassian does not suspend.",
        "Take the administrator role away at admin.atlassian.com, then release the job.",
    ),
    "not_a_person": Reason(
        "The account is an app's or a portal customer's, not a person's.",
        "Check the e-mail address with HR; cancel the job if it is wrong.",
    ),
    "unclear_account": Reason(
        "The target did not say enough about the account to be sure which way to act.",
        "Look at the job's calls (`leaver job ID`); deactivate by hand, then replay.",
    ),
    "idp_managed": Reason(
        "An identity provider manages the account and has not deactivated it within idp_grace.",
        "Deactivate or unassign the person in the identity provider, then release the job.",
    ),
    "account_changed": Reason(
        "The e-mail address now belongs to another account than at the first attempt.",
        "Find out which is the leaver's. If the new one: `leaver replay ID --force --reason TEXT`.",
    ),
    "account_gone": Reason(
        "The account that was matched before can no longer be found.",
        "Check at admin.atlassian.com that it was deleted, then cancel the job.",
    ),
    "rehired": Reason(
        "HR says that the person works here, after it said that they leave.",
        "Ask HR. If the person stays, `leaver cancel ID --reason TEXT`; if not, "
        "`leaver replay ID --force --reason TEXT`.",
    ),
    "superseded": Reason(
        "A later event of HR says that the person does not leave.",
        "Ask HR. `leaver replay ID --force --reason TEXT` if the account must go all the same.",
    ),
    "rescinded_late": Reason(
        "HR took the termination back after something was written to the account.",
        "Cancel the job if it is held. `leaver reinstate ID --reason TEXT` enables the account "
        "again; if it is to stay off, `leaver dismiss ID --reason TEXT` the delivery that took it "
        "back.",
    ),
    "refused": Reason(
        "Atlassian refuses this action for this account.",
        "Read the answer in `leaver job ID`, mend the cause or act by hand, then release.",
    ),
    "lifecycle_conflict": Reason(
        "Atlassian says the account is not eligible, for example because it owns sites or billing.",
        "Hand over what the account owns (the codes are in `leaver job ID`), then release.",
    ),
    "read_only_directory": Reason(
        "The account comes from a user directory (LDAP, Crowd) that this system may only read.",
        "Disable the person in that directory, let it synchronise, then release the job: it reads "
        "the account again.",
    ),
    "project_lead": Reason(
        "The person leads a project or a component, and Jira does not deactivate leads.",
        "Give the projects named in `leaver job ID` another lead, then release the job.",
    ),
    "request_rejected": Reason(
        "Atlassian does not understand the request (400 or 415): an error in Leaver.",
        "Deactivate by hand, then report it with the calls of `leaver job ID`.",
    ),
    "worker_lost": Reason(
        "Several workers in a row died while they worked on it.",
        "Look at the workers' logs, then `leaver release ID --reason TEXT`.",
    ),
    "internal_error": Reason(
        "An unexpected error inside Leaver, several times in a row.",
        "Look at the workers' logs for this job, report it, then release.",
    ),
    "source_missing": Reason(
        "No worker has this source in its configuration, which may say that it is in shadow mode.",
        "Configure the source again, on every worker, and release the job; or cancel it "
        "(`leaver cancel --source NAME --reason TEXT` cancels all of them).",
    ),
    "target_missing": Reason(
        "No worker has this target in its configuration.",
        "Configure the target again and release the job, or cancel it.",
    ),
    # Held: a reinstatement.
    "not_rehired": Reason(
        "HR does not say that the person works here, or says by now that they leave.",
        "Ask HR. Once it says so, `leaver release ID --reason TEXT`; to enable the account all the "
        "same, `leaver replay ID --force --reason TEXT`; if it is to stay off, `leaver cancel`.",
    ),
    "deactivation_open": Reason(
        "A deactivation of the same account is under way, or was replayed since.",
        "See `leaver job ID`. Cancel the one that is wrong; then release this one, if it is not.",
    ),
    "nothing_to_give_back": Reason(
        "What Leaver had taken was given back already; whoever switched the account off since, it "
        "was not Leaver.",
        "Enable it by hand if it should be on, and cancel the job.",
    ),
    "idp_enables": Reason(
        "An identity provider manages the account: only it can enable it.",
        "Enable or assign the person there, then release the job: it reads the account again.",
    ),
    # Held: what the HR system says when it is asked.
    "hr_disagrees": Reason(
        "When HR was asked once more just before, it did not say terminated any more.",
        "Ask HR. If the person stays, `leaver cancel ID --reason TEXT`; once HR says terminated, "
        "release it; to act all the same, `leaver replay ID --force --reason TEXT`.",
    ),
    "hr_other_email": Reason(
        "HR has another e-mail address of the person by now than the event had.",
        "Find out which account is theirs: `leaver replay ID --force --reason TEXT` takes the "
        "event's; else `leaver cancel` and `leaver terminate EMAIL --reason TEXT`.",
    ),
    "hr_no_email": Reason(
        "HR says that the employee leaves, and has no e-mail address of them.",
        "Find the address, then `leaver terminate EMAIL --reason TEXT`; or enter it in HR and "
        "release the job.",
    ),
    "hr_unclear": Reason(
        "What HR says of the employee is not enough: a field is missing, cannot be read, or may "
        "not be seen with sources.X.api.api_key.",
        "Read the detail in `leaver job ID`; give the key's user access to the fields, or mend "
        "the record, then release the job.",
    ),
    "hr_unknown": Reason(
        "HR does not know the employee, or does not show them to sources.X.api.api_key.",
        "Look at the employee in HR. If the record was deleted and the person leaves, "
        "`leaver terminate EMAIL --reason TEXT`, and cancel the job.",
    ),
    # Retried by itself.
    "rate_limited": Reason(
        "The target asked to slow down; it is paused for all jobs.",
        "Nothing. No attempt is spent.",
    ),
    "credential_refused": Reason(
        "The target does not accept the credential; it is paused for all jobs.",
        "Put a valid credential into targets.X (for atlassian-org an organization key without "
        "scopes) or, for the target hr:X, into sources.X.api, reload with SIGHUP, check with "
        "`leaver doctor`. Jobs go on by themselves.",
    ),
    "login_denied": Reason(
        "The target refuses to look at the login (a CAPTCHA, or too many tries), though it may be "
        "right; it is paused for all jobs.",
        "Log in once by hand with the account of targets.X and solve the CAPTCHA, or have an "
        "administrator reset its failed logins. Jobs go on by themselves.",
    ),
    "misconfigured": Reason(
        "The target does not know the organization or the address, or the key may not manage it.",
        "Check targets.X.base_url, and what it is called there, with `leaver doctor`. Jobs go on "
        "by themselves.",
    ),
    "outage": Reason(
        "The target cannot be reached or answers with errors; it is paused for all jobs.",
        "Nothing, unless it lasts: check network and status page. No attempt is spent.",
    ),
    "unavailable": Reason(
        "The target keeps failing for this job while it works for others.",
        "Look at the calls in `leaver job ID`; it is retried until retry.give_up_after.",
    ),
    "not_verified": Reason(
        "When it was read back after the write, the account was still as before.",
        "Nothing: it is read again and retried. If it stays so, check at admin.atlassian.com.",
    ),
    "hr_unavailable": Reason(
        "HR cannot be asked now whether the person still leaves; it is asked again.",
        "Nothing, unless it lasts: see hr:X under `leaver doctor`. No attempt is spent.",
    ),
    "account_busy": Reason("Another job works on the same account at this moment.", "Nothing."),
    "waiting_for_idp": Reason(
        "An identity provider manages the account; Leaver watches until it has deactivated it.",
        "Nothing until idp_grace has passed; then it is held as idp_managed.",
    ),
    "worker_stopped": Reason("The worker was shut down during the attempt.", "Nothing."),
    # Ended.
    "gave_up": Reason(
        "It did not succeed within retry.give_up_after (time in pauses not counted).",
        "Mend the cause shown by `leaver job ID`, then `leaver replay ID --reason TEXT`.",
    ),
    "rescinded": Reason("HR took the termination back before its cutoff.", "Nothing."),
    "replaced": Reason(
        "HR said another date or address while it ran, before its write; another job goes by that.",
        "Nothing.",
    ),
    "approval_refused": Reason(
        "A second person did not approve it.",
        "Talk to whoever refused it (`leaver job ID` says who and why); `leaver replay ID --reason "
        "TEXT` asks again.",
    ),
    "operator_cancel": Reason(
        "An operator cancelled it.", "Nothing; `leaver replay ID --reason TEXT` brings it back."
    ),
}

ELEMENT: Mapping[str, Reason] = {
    "dismissed": Reason("An operator took it out of quarantine, unread.", "Nothing."),
    "not_a_termination": Reason(
        "The person's values in HR are not those of a termination.", "Nothing."
    ),
    "other_event": Reason(
        "An event of another kind, or about fields that say nothing of leaving.", "Nothing."
    ),
    "missing_email": Reason(
        "A termination without a work e-mail address.",
        "Find the address, then `leaver terminate EMAIL --reason TEXT`; have HR send the field.",
    ),
    "bad_email": Reason(
        "The e-mail field does not hold one plain address.",
        "Correct it in HR, or `leaver terminate EMAIL --reason TEXT`.",
    ),
    "bad_date": Reason(
        "The termination date cannot be read.",
        "Correct it in HR, or `leaver terminate EMAIL --reason TEXT --at WHEN`.",
    ),
    "contradiction": Reason(
        "The body says of one person both that they leave and that they work here.",
        "Ask HR which is true; `leaver terminate EMAIL --reason TEXT` if the person leaves.",
    ),
    "unreadable": Reason(
        "Correctly signed, but not a body this source sends.",
        "Look at `leaver delivery ID`; mend sources.X.kind or fields, then `leaver reparse ID "
        "--reason TEXT`, or act by hand and `leaver dismiss ID --reason TEXT`.",
    ),
    "stale": Reason(
        "Signed longer ago than sources.X.tolerance.",
        "Check the sender's clock and ours (`leaver doctor`); if it is real, `leaver reparse ID "
        "--reason TEXT`, which does not look at the time; if not, `leaver dismiss`.",
    ),
    "from_the_future": Reason(
        "Signed further ahead of our clock than sources.X.tolerance.",
        "Check the sender's clock and ours (`leaver doctor`); if it is real, `leaver reparse ID "
        "--reason TEXT`, which does not look at the time; if not, `leaver dismiss`.",
    ),
}

REJECTED: Mapping[str, Reason] = {
    "signature_missing": Reason(
        "The signature or timestamp header is missing.",
        "Check that the sender signs, and that no proxy removes its headers.",
    ),
    "signature_malformed": Reason(
        "The signature headers are not of the form this source sends.",
        "Check sources.X.kind, and that headers are not doubled by a proxy.",
    ),
    "signature_wrong": Reason(
        "No active key of the source gives this signature.",
        "Check sources.X.secrets: a mistyped or rotated key loses every event.",
    ),
    "audience_wrong": Reason(
        "A token that was signed with a key of the source, for somebody else.",
        "Make the sender's `aud` and sources.X.audience the same.",
    ),
    "keys_unavailable": Reason(
        "The keys of the source cannot be fetched; the sender hears 503, to send it again.",
        "Check sources.X.jwks_url with `leaver doctor`, from this machine.",
    ),
    "too_large": Reason(
        "The body is larger than server.max_body_bytes.",
        "Raise server.max_body_bytes, or have the sender send smaller batches.",
    ),
    "unsupported_media_type": Reason(
        "A content type this source does not send, and no right signature either.",
        "Check the sender's settings.",
    ),
}
