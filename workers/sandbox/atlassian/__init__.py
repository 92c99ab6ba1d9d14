"""The fake of Atlassian's cloud.

org.py         Organizations REST API
users.py       User management REST API
accounts.py    how the two tell a person
search.py      the filters of the user search
cursors.py     pages of a list
errors.py      the error shapes
"""
