"""A BambooHR of the sandbox, and what asks it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from config.sources import BambooHR as Settings
from tests.workers.targets.sandbox import Control
from workers.hr.bamboohr import BambooHR
from workers.limits import Unlimited
from workers.sandbox.app import create_app
from workers.sandbox.bamboohr.employees import API_KEY
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings


@pytest.fixture(scope="session")
def hr_sandbox_url():
    with Server(create_app(SandboxSettings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def company(hr_sandbox_url):
    """The operator of the faked BambooHR."""
    control = Control(hr_sandbox_url, "/bamboohr")
    control.reset()
    yield control
    control.close()


@pytest.fixture
def ask():
    """Makes what asks: ask(address of the API, key=..., settings of the source)."""

    def make(base_url, key=API_KEY, **settings):
        api = {"base_url": base_url, "api_key": key}
        source = {"kind": "bamboohr", "secrets": ["test-key-not-a-secret"], "api": api}
        own = Settings.model_validate(source | settings)
        return BambooHR(own, ZoneInfo("Europe/Berlin"), Unlimited())

    return make


@pytest.fixture
def hr(company, ask):
    """What asks the faked BambooHR."""
    return ask(f"{company.base_url}/bamboohr")
