"""What `leaver doctor` looks at, and each part when it has started; what was found, what helps.

    examination.py   all checks; and those that only workers can make
    at_start.py      those that the other parts make, and how each says what it found
    machinery.py     ledger, queue and clock
    credentials.py   the key of each target and HR system, and the HR system's webhook
    owners.py        the accounts that Leaver itself works with
    sources.py       each source's published keys
    people.py        who approves what takes a second person
    record.py        what stands in the ledger: workers, pauses, alarms, rejections, jobs,
                     messages
    check.py         what a check says, and the codes

A check never raises and never changes anything: what is broken is its finding.
"""
