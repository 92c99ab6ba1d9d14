"""A running sandbox without latency, put back to its start before each test."""

import time
from datetime import timedelta

import pytest
import requests

from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY
from workers.sandbox.server import Server
from workers.sandbox.state import Settings


class Client(requests.Session):
    """A session whose addresses begin at the sandbox."""

    def __init__(self, base_url, key=None):
        super().__init__()
        self.base_url = base_url
        if key:
            self.headers["Authorization"] = f"Bearer {key}"

    def request(self, method, url, **options):
        return super().request(method, self.base_url + url, **{"timeout": 10} | options)


@pytest.fixture(scope="session")
def base_url():
    with Server(create_app(Settings(latency=timedelta()))) as server:
        yield server.base_url


@pytest.fixture(scope="session")
def client():
    """Makes a caller of an address: client(base_url, key)."""
    return Client


@pytest.fixture
def control(base_url):
    """The operator of the sandbox."""
    with Client(f"{base_url}/sandbox") as client:
        client.post("/reset")
        yield client
        client.post("/reset")


@pytest.fixture
def api(base_url, control):
    """A caller with the organization's key."""
    with Client(base_url, API_KEY) as client:
        yield client


@pytest.fixture
def connect(base_url, control):
    """Makes further callers: connect(key)."""
    clients = []

    def new(key=None):
        clients.append(Client(base_url, key))
        return clients[-1]

    yield new
    for client in clients:
        client.close()


@pytest.fixture
def eventually():
    """Asks again until the answer is true, for ten seconds: eventually(lambda: ...)."""

    def ask(question):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if answer := question():
                return answer
            time.sleep(0.01)
        raise AssertionError("it did not happen within ten seconds")

    return ask
