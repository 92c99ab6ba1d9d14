"""The sandbox: a stateful fake of the systems outside, for rehearsal and tests.

It is written from the vendors' published descriptions and never from our own client, so that the
two can disagree.  Nothing here is used when Leaver works on real accounts.

    people.py              who exists at the start, and what can be told about a person
    records.py             the people of one system as they are, and as slow reads still see them
    employees.py           an employee, as several faked HR systems keep them
    state.py               those of the cloud, and how it behaves
    system.py              one system: its people, its settings, its operations
    answers.py             what an operation answers, and what all operations of one API share
    faults.py book.py      what can be made to go wrong, and the orders for it
    calls.py               every call in order, and the counters
    gate.py                the way of one call: latency, fault, credential, operation, log
    atlassian/             the fake of Atlassian's cloud
    bamboohr/              the fake of BambooHR
    confluence_dc/         the fake of Confluence Data Center
    crowd/                 the fake of Crowd
    finch.py               the fake of Finch
    gusto.py               the fake of Gusto
    jira_cloud_site/       the fake of one Jira site of the cloud
    jira_dc/               the fake of Jira Data Center
    jira_um1/              the fake of an older Jira's user management API
    scim/                  the fake of a directory of the cloud that is provisioned
    control.py             /sandbox/...: people, faults, calls and settings over HTTP
    app.py, server.py      the Flask app, and the server that can also hang up

Another fake is one more folder, or module, with a System, and its name in app.py.
"""
