"""Messages: how people hear of alarms without looking.

    wording.py     what a message says of everything that happened
    recipients.py  who gets messages, by notify.urls, and sending one (apprise)
    post.py        what one worker does: gather news, make copies, send them

What is said and to whom it went is in the ledger (workers/ledger/news.py, outbox.py).
"""
