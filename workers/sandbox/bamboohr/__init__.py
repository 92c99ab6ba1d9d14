"""The fake of BambooHR, under /bamboohr as if that were its address.

api.py         the API, as far as it is about one employee
employees.py   the employees, and how it behaves
"""

from workers.sandbox.bamboohr.api import OPERATIONS, nothing_here
from workers.sandbox.bamboohr.employees import CAST, Employee, Settings
from workers.sandbox.system import System

BAMBOOHR = System("bamboohr", CAST, Employee, Settings, OPERATIONS, nothing_here)
