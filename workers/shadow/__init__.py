"""Shadow mode beside what people do by hand: whoever goes live decides by it.

    verdicts.py   how often an account is looked at again, and what became of it
    report.py     `leaver shadow report`: every job, judged, and the sum

Beside it: workers/lookout.py looks, workers/ledger/sightings.py keeps what was seen.
"""
