"""The HR system's own word on an employee, beside the events that it sends.

    values.py            reading one value of what an HR system says, strictly
    bamboohr_fields.py   what the fields of an employee of BambooHR mean

The receiver uses both for the bodies that it is sent.
"""
