"""The console: the operators' side, a second Flask app on an address of its own.

    app.py         its routes, and which module has the pages of each
    access.py      who asks, and what they may do
    situation.py   what the pages work with
    filters.py     what is typed into the filters of lists
    words.py       how times, lengths of time and addresses are written
    chart.py       pictures of the overview
    metrics.py     GET /metrics
    health.py      GET /healthz
    serve.py       its server

It knows the ledger and the queue and nothing else.  It never loads a target's code, nor a target's
secret.
"""
