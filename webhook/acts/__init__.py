"""What an operator does, the same for the command line, the console and the API.

    jobs.py         replay, release, hold and cancel of jobs, and by id of a whole leaver
    sides.py        whole sources and targets: hold and release
    terminate.py    a leaver entered by hand
    reinstate.py    giving back what a deactivation has taken
    brake.py        letting leavers pass the brake
    explain.py      what a body says, and what a worker must be asked to explain it
    asking.py       having a worker explain
    quarantine.py   reading again what waits in quarantine, or dismissing it
    notify.py       trying whether messages arrive

Who asks for it, `actor`, and why are given by the caller and stand in the audit trail.  How it is
asked for and how its result is shown are matters of webhook/cli, webhook/console and webhook/api.
"""
