"""The HR system's own word on an employee, beside the events that it sends.

    values.py            reading one value of what an HR system says, strictly
    bamboohr_fields.py   what the fields of an employee of BambooHR mean
    answers.py           what an answer means, whatever the HR system
    base.py              what every HR system promises that can be asked
    bamboohr.py, gusto.py, finch.py
                         asking BambooHR, Gusto and Finch
    confirm.py           asking once more, just before an account is touched
    heartbeat.py         whether the webhook itself still lives
    systems.py           all that can be asked, made from the settings

The receiver uses the first two for the bodies that it is sent, and never loads the others.
"""
