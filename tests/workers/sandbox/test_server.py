"""The server keeps connections, hangs up when it must, and leaves nothing behind."""

import http.client
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests

from workers.sandbox.app import create_app
from workers.sandbox.atlassian.org import API_KEY, ORG_ID
from workers.sandbox.server import Server
from workers.sandbox.state import Settings


@pytest.fixture
def server():
    with Server(create_app(Settings(latency=timedelta()))) as running:
        yield running


@pytest.fixture
def connection(server):
    """One plain connection."""
    address = urlsplit(server.base_url)
    opened = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    yield opened
    opened.close()


def test_a_connection_serves_many_calls(connection):
    """As the real ones do; pooling can only be rehearsed so."""
    statuses = []
    for _ in range(3):
        connection.request("GET", "/sandbox/settings")
        answer = connection.getresponse()
        answer.read()
        statuses.append((answer.status, answer.will_close))

    assert statuses == [(200, False)] * 3


def test_a_write_without_content_leaves_the_connection_open(connection):
    """204 has no body and no length; the next call must not wait for one."""
    connection.request("POST", "/sandbox/reset")
    connection.getresponse().read()
    connection.request("GET", "/sandbox/settings")

    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    "header", [("Transfer-Encoding", "chunked"), ("Content-Length", "-1"), ("Content-Length", "x")]
)
def test_a_body_without_a_length_is_refused(connection, header):
    """Not understood as something else."""
    connection.putrequest("POST", "/sandbox/reset")
    connection.putheader(*header)
    connection.endheaders()

    assert connection.getresponse().status == 411


def test_leaving_the_server_is_an_outage(server):
    """Kept connections die as well."""
    with requests.Session() as session:
        session.get(f"{server.base_url}/sandbox/settings", timeout=10)

        server.__exit__()

        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.base_url}/sandbox/settings", timeout=10)


def test_a_taken_port_is_an_error(server):
    """Said to the caller, who can say it to the operator."""
    port = urlsplit(server.base_url).port

    with pytest.raises(OSError, match="in use"):
        Server(create_app(), port=port)


def test_latency_is_spent_on_every_call(server):
    """The rehearsal is as slow as it is told to be."""
    url = f"{server.base_url}/sandbox/settings"
    org = f"{server.base_url}/admin/v1/orgs/{ORG_ID}"
    requests.patch(url, json={"latency": 60}, timeout=10)

    with pytest.raises(requests.ReadTimeout):
        requests.get(org, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=0.05)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_running_sandbox_stops_when_told(stop):
    """With a good exit, and its port free again."""
    code = (
        "from workers.sandbox.server import run;"
        "run(port=0, ready=lambda base_url: print(base_url, flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        address = urlsplit(process.stdout.readline().strip())
        requests.get(f"{address.geturl()}/sandbox/settings", timeout=10)

        process.send_signal(stop)

        try:
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
        with socket.socket() as free:
            assert free.connect_ex((address.hostname, address.port)) != 0
