"""The operator of the sandbox: its control routes as functions."""

from typing import Any, Self

import requests


class Control:
    """The control of one system; `corner` is what its addresses begin with, "" for the cloud."""

    def __init__(self, base_url: str, corner: str = "") -> None:
        self.base_url = base_url
        self._corner = corner
        self._session = requests.Session()

    def of(self, corner: str) -> Self:
        """The control of another system of the same sandbox, such as "/jira-dc"."""
        return type(self)(self.base_url, corner)

    def call(self, method: str, path: str, json: Any = None) -> Any:
        url = f"{self.base_url}/sandbox{path}"
        answered = self._session.request(method, url, json=json, timeout=10)
        answered.raise_for_status()
        return answered.json() if answered.content else None

    # For all systems.

    def fault(self, fault: str, operation: str = "*", **order: Any) -> None:
        self.call("POST", "/faults", {"fault": fault, "operation": operation, **order})

    def always(self, fault: str, operation: str = "*", **order: Any) -> None:
        """The only fault from now on."""
        self.heal()
        self.fault(fault, operation, times=None, **order)

    def once(self, fault: str, operation: str = "*", **order: Any) -> None:
        """The only fault, on one call."""
        self.heal()
        self.fault(fault, operation, **order)

    def heal(self) -> None:
        """Everything goes well again."""
        self.call("DELETE", "/faults")

    def reset(self) -> None:
        """People, settings, faults and calls as at the start."""
        self.call("POST", "/reset")

    def writes(self) -> list[dict[str, Any]]:
        writes: list[dict[str, Any]] = self.call("GET", "/writes")["writes"]
        return writes

    # For this one.

    def set(self, **settings: Any) -> None:
        self.call("PATCH", f"{self._corner}/settings", settings)

    def add(self, email: str, **facts: Any) -> None:
        """Somebody new."""
        self.call("POST", f"{self._corner}/people", {"email": email, **facts})

    def change(self, person: Any, **changes: Any) -> None:
        self.call("PATCH", f"{self._corner}/people/{person.account_id}", changes)

    def really(self, person: Any) -> Any:
        """The person as they really are."""
        return self.call("GET", f"{self._corner}/people/{person.account_id}")

    def join(self, email: str, *groups: str) -> None:
        """Whoever has the address is in these groups, and in those of before."""
        (known,) = self.call("GET", f"{self._corner}/people?email={email}")["people"]
        path = f"{self._corner}/people/{known['account_id']}"
        self.call("PATCH", path, {"groups": [*known["groups"], *groups]})

    def give_away(self, email: str) -> None:
        """The address goes from the account that has it to a new one."""
        (known,) = self.call("GET", f"{self._corner}/people?email={email}")["people"]
        path = f"{self._corner}/people/{known['account_id']}"
        self.call("PATCH", path, {"email": f"former-{email}"})
        self.add(email)

    def close(self) -> None:
        self._session.close()
