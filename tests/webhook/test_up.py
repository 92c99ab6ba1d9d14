"""What `leaver up` finds out before and while its parts start."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.secret import ConfigurationError
from config.settings import Address
from tests.servers import free_port
from webhook.up import answers, require_free


class Unwell(BaseHTTPRequestHandler):
    """Answers, and says that it is not well."""

    def do_GET(self):
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def unwell():
    """A server of the kind, at every address of this machine."""
    with HTTPServer(("0.0.0.0", 0), Unwell) as server:  # noqa: S104 - for the length of a test
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_a_port_without_a_listener_is_free():
    """And looking does not take it."""
    address = Address("127.0.0.1", free_port())

    require_free({"server.listen": address})
    require_free({"server.listen": address})


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])  # noqa: S104 - only tried
def test_a_taken_port_is_named_with_its_setting(host):
    """Who reads it must know what to change without looking for it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError) as refused:
            require_free({"console.listen": Address(host, port)})

    said = f"port {port} (console.listen) is taken by another process"
    assert str(refused.value) == f"{said}: stop it or change console.listen"


def test_an_address_of_another_machine_is_refused():
    """A configuration that was copied from there."""
    with pytest.raises(ConfigurationError, match=r"server\.listen: nothing can listen on"):
        require_free({"server.listen": Address("192.0.2.1", 8000)})


def test_port_0_is_refused():
    """Nobody could say where it listens, and nobody could look whether it does."""
    with pytest.raises(ConfigurationError, match=r"server\.listen needs a port"):
        require_free({"server.listen": Address("127.0.0.1", 0)})


def test_a_server_that_is_not_well_answers_all_the_same(unwell):
    """The console is up when it can say what is wrong."""
    assert answers(Address("127.0.0.1", unwell), "/healthz")(0)


def test_a_server_that_listens_everywhere_is_asked_here(unwell):
    """0.0.0.0 is no address to call."""
    assert answers(Address("0.0.0.0", unwell), "/livez")(0)  # noqa: S104 - only asked


def test_nobody_answers_where_nobody_listens():
    """While a part starts."""
    assert not answers(Address("127.0.0.1", free_port()), "/livez")(0)
