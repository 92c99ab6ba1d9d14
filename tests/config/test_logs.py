"""What is logged, by us and by libraries, becomes one redacted line."""

import io
import json
import logging
import re
import sys
import threading

import pytest
import structlog

from config import logs

NOT_A_SECRET = "test-key-not-a-secret"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def as_it_was():
    """Logging is one for the whole process: each test leaves it as it found it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    structlog.reset_defaults()


@pytest.fixture
def stream():
    """Where the lines go."""
    stream = io.StringIO()
    logs.configure(stream)
    return stream


def lines(stream):
    """The lines, as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_our_fields(stream):
    """A collector needs no pattern to read it."""
    structlog.get_logger().info("job held", job_id="0192f3c4", attempt=3, target="cloud")

    (line,) = lines(stream)

    assert list(line) == ["timestamp", "level", "event", "job_id", "attempt", "target"]
    assert (line["level"], line["event"], line["attempt"]) == ("info", "job held", 3)


def test_its_time_is_rfc_3339_in_utc(stream):
    """Lines of several machines are put in order by it."""
    structlog.get_logger().info("delivery accepted")

    (line,) = lines(stream)

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


def test_on_a_terminal_a_line_is_made_for_reading():
    """JSON is for machines; the person who tries it out reads this."""
    terminal = Terminal()
    logs.configure(terminal)

    structlog.get_logger().info("job held", job_id="0192f3c4")

    assert "job held" in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()
    assert "{" not in terminal.getvalue()


@pytest.mark.parametrize(("stream", "as_json"), [(Terminal(), True), (io.StringIO(), False)])
def test_the_form_can_be_chosen(stream, as_json):
    """`leaver demo` writes for people into a file as well."""
    logs.configure(stream, json=as_json)

    structlog.get_logger().info("job held")

    assert stream.getvalue().startswith("{") is as_json


def test_a_forced_readable_form_has_no_colours():
    """Escape codes in a file are noise."""
    stream = io.StringIO()
    logs.configure(stream, json=False)

    structlog.get_logger().error("job held", job_id="x")

    assert "\x1b" not in stream.getvalue()


def test_what_is_bound_to_the_context_is_on_every_line(stream):
    """One job's lines are found by its id, those of deeper functions too."""
    with structlog.contextvars.bound_contextvars(job_id="0192f3c4"):
        structlog.get_logger().info("attempt started")
        logging.getLogger("urllib3").warning("retrying")

    assert [line["job_id"] for line in lines(stream)] == ["0192f3c4", "0192f3c4"]


def test_libraries_log_in_the_same_form(stream):
    """Celery, gunicorn, SQLAlchemy and Werkzeug use the standard library's logging."""
    logging.getLogger("celery.worker").warning("lost %s", "lena@example.com")

    (line,) = lines(stream)

    assert (line["level"], line["logger"]) == ("warning", "celery.worker")
    assert line["event"] == "lost [e-mail]"


def test_a_library_that_had_its_own_handler_is_taken_over():
    """gunicorn and Celery bring handlers, with a format of their own and without redaction."""
    own = io.StringIO()
    logger = logging.getLogger("gunicorn.error")
    logger.addHandler(logging.StreamHandler(own))
    logger.propagate = False
    stream = io.StringIO()

    logs.configure(stream)
    logger.warning("worker timeout")

    assert own.getvalue() == ""
    assert [line["event"] for line in lines(stream)] == ["worker timeout"]


@pytest.mark.parametrize("name", logs.QUIET)
def test_chatter_is_left_out_and_warnings_are_not(stream, name):
    """One line a delivery and one an attempt: Celery's two a task would bury them."""
    logging.getLogger(name).info("chatter")
    logging.getLogger(name).warning("trouble")

    assert [line["event"] for line in lines(stream)] == ["trouble"]


def test_details_below_info_are_left_out(stream):
    """Libraries put headers and bodies there."""
    structlog.get_logger().debug("detail")
    logging.getLogger("urllib3").debug("detail")

    assert stream.getvalue() == ""


def test_set_up_twice_a_line_is_written_once(stream):
    """A command that starts a part of itself sets logging up again."""
    logs.configure(stream)

    structlog.get_logger().info("job held")

    assert len(lines(stream)) == 1


def fail_twice():
    """An error with a cause, both with something to hide."""
    try:
        raise ValueError(f"no lena@example.com, api_key='{NOT_A_SECRET}'")  # noqa: TRY301 - short
    except ValueError as error:
        raise RuntimeError("redis://:hunter2@queue.example.com") from error


@pytest.mark.parametrize("json_form", [True, False])
@pytest.mark.parametrize("logger", [structlog.get_logger(), logging.getLogger("sqlalchemy")])
def test_tracebacks_are_redacted_with_all_their_causes(json_form, logger):
    """The text of an exception is made where nobody thinks of logs."""
    stream = io.StringIO()
    logs.configure(stream, json=json_form)

    try:
        fail_twice()
    except RuntimeError:
        logger.exception("attempt crashed")

    written = stream.getvalue()
    assert "ValueError: no [e-mail], api_key=" in written
    assert "RuntimeError: redis://[secret]@queue.example.com" in written
    for secret in ("lena", NOT_A_SECRET, "hunter2"):
        assert secret not in written


def test_local_variables_are_not_shown(stream):
    """A pretty traceback with locals would print the key that a function was just using."""
    terminal = Terminal()
    logs.configure(terminal)

    def function_with_a_secret():
        local = NOT_A_SECRET
        return local / 0

    try:
        function_with_a_secret()
    except TypeError:
        structlog.get_logger().exception("attempt crashed")

    assert "function_with_a_secret" in terminal.getvalue()
    assert NOT_A_SECRET not in terminal.getvalue()


@pytest.mark.parametrize("json_form", [True, False])
def test_fields_are_redacted(json_form):
    """Whoever logs a whole object by mistake has not published it."""
    stream = io.StringIO()
    logs.configure(stream, json=json_form)

    structlog.get_logger().info(
        "call failed", to="lena@example.com", headers={"Authorization": f"Bearer {NOT_A_SECRET}"}
    )

    assert "lena" not in stream.getvalue()
    assert NOT_A_SECRET not in stream.getvalue()
    assert "[e-mail]" in stream.getvalue()


class Unspeakable:
    """Its text is an error."""

    def __str__(self):
        raise RuntimeError

    __repr__ = __str__


@pytest.mark.parametrize("json_form", [True, False])
def test_logging_never_raises(json_form):
    """A job must not fail because of a line about it."""
    stream = io.StringIO()
    logs.configure(stream, json=json_form)
    log = structlog.get_logger()

    log.info("odd", value=Unspeakable(), keys={(1, 2): 3, Unspeakable: b"\xff"}, text="\udcff\0")
    logging.getLogger("library").warning(Unspeakable())
    log.info("next")

    assert "next" in stream.getvalue()


def test_a_line_that_cannot_be_made_is_lost_without_its_arguments(capsys):
    """logging itself would print the arguments to stderr, with everything that is in them."""
    stream = io.StringIO()
    logs.configure(stream)  # here, so that pytest's own handlers do not see the line

    logging.getLogger("library").warning("%d people", "lena@example.com")

    (line,) = lines(stream)

    assert line["event"] == "log line lost"
    assert re.search(r"test_logs\.py:\d+$", line["at"])
    assert capsys.readouterr().err == ""


def test_a_closed_stream_disturbs_nobody(stream, capsys):
    """The terminal is gone; the work goes on."""
    stream.close()

    structlog.get_logger().info("job held")

    assert capsys.readouterr().err == ""


def test_a_thread_that_crashes_leaves_a_line(stream):
    """Else its traceback would go to stderr as it is, with whatever it holds."""

    def crash():
        raise ValueError("lena@example.com")

    thread = threading.Thread(target=crash, name="sweep")
    thread.start()
    thread.join()

    (line,) = lines(stream)
    assert (line["level"], line["event"]) == ("critical", "thread crashed")
    assert line["thread"] == "sweep"
    assert "ValueError: [e-mail]" in line["exception"]


def test_a_process_that_crashes_leaves_a_line(stream):
    """The last words of a process are redacted as well."""
    error = ValueError("lena@example.com")

    sys.excepthook(type(error), error, None)

    (line,) = lines(stream)
    assert (line["level"], line["event"]) == ("critical", "process crashed")
    assert "ValueError: [e-mail]" in line["exception"]
