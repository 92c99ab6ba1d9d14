"""The console: the operators' side, a second Flask app on an address of its own.

    app.py       its routes
    metrics.py   GET /metrics
    health.py    GET /healthz
    serve.py     its server

It reads the ledger and nothing else.  It never loads a target's code, nor a target's secret.
"""
