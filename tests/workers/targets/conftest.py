"""The sandbox's server, and targets that work on it over HTTP."""

from datetime import timedelta

import pytest
import requests

from config.secret import Secret
from config.targets import AtlassianOrg as Settings
from workers.limits import Unlimited
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings
from workers.targets import build

pytest.register_assert_rewrite("tests.workers.targets.conformance")


class Control:
    """The operator of the sandbox: its control routes as functions."""

    def __init__(self, base_url):
        self.base_url = base_url
        self._session = requests.Session()

    def call(self, method, path, json=None):
        url = f"{self.base_url}/sandbox{path}"
        answered = self._session.request(method, url, json=json, timeout=10)
        answered.raise_for_status()
        return answered.json() if answered.content else None

    def fault(self, fault, operation="*", **order):
        self.call("POST", "/faults", {"fault": fault, "operation": operation, **order})

    def always(self, fault, operation="*", **order):
        """The only fault from now on."""
        self.call("DELETE", "/faults")
        self.fault(fault, operation, times=None, **order)

    def set(self, **settings):
        self.call("PATCH", "/settings", settings)

    def change(self, person, **changes):
        self.call("PATCH", f"/people/{person.account_id}", changes)

    def really(self, person):
        """The person as they really are."""
        return self.call("GET", f"/people/{person.account_id}")

    def writes(self):
        return self.call("GET", "/writes")["writes"]

    def close(self):
        self._session.close()


@pytest.fixture(scope="session")
def sandbox_url():
    with Server(create_app(SandboxSettings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def control(sandbox_url):
    control = Control(sandbox_url)
    control.call("POST", "/reset")
    yield control
    control.close()


@pytest.fixture
def make_target():
    """Makes an atlassian-org target: make_target(base_url, key=..., org_id=...)."""

    def make(base_url, *, key=API_KEY, org_id=ORG_ID):
        settings = Settings(
            kind="atlassian-org", base_url=base_url, org_id=org_id, api_key=Secret(key)
        )
        return build("cloud", settings, Unlimited())

    return make


@pytest.fixture
def target(control, make_target):
    """The target that works on the sandbox."""
    return make_target(control.base_url)
