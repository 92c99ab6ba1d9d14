"""The sandbox's server, and targets that work on it over HTTP."""

from datetime import timedelta

import pytest

from config.secret import Secret
from config.targets import AtlassianOrg as Settings
from tests.workers.targets.sandbox import Control
from workers.limits import Unlimited
from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.server import Server
from workers.sandbox.state import Settings as SandboxSettings
from workers.targets import build

pytest.register_assert_rewrite("tests.workers.targets.conformance")


@pytest.fixture(scope="session")
def sandbox_url():
    with Server(create_app(SandboxSettings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture
def control(sandbox_url):
    control = Control(sandbox_url)
    control.reset()
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
