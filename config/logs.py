"""Structured logs: a constant event name, fields beside it, nothing personal and nothing secret.

    log = structlog.get_logger()
    log.info("job held", job_id=job.id, target="cloud", reason="ambiguous_match")

A line is one JSON object, or made for reading on a terminal; its time is RFC 3339 in UTC.  What
libraries log and what crashes a thread goes the same way.  Redaction is the last step before a line
is written, tracebacks included.  Logging never raises: a line that cannot be written is lost.
"""

import contextlib
import logging
import sys
import threading
from json import dumps
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.redaction import fields

FIRST = ("timestamp", "level", "event")  # how a line of JSON begins
# Two lines a task, one a request, a few a start: ours say it better.
QUIET = ("alembic", "celery.app.trace", "celery.worker.strategy", "werkzeug")

log = structlog.get_logger()


def configure(stream: TextIO | None = None, *, json: bool | None = None) -> None:
    """Send everything that is logged to `stream` (stderr); as JSON unless that is a terminal.

    Takes over loggers that a library has set up for itself until now.  Safe to call again.
    """
    stream = stream or sys.stderr
    terminal = stream.isatty()
    pretty = terminal if json is None else not json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # Made text here: a renderer would show local variables, and nothing would redact them.
            structlog.processors.format_exc_info,
            redacted,
            structlog.dev.ConsoleRenderer(colors=terminal)
            if pretty
            else structlog.processors.JSONRenderer(),
        ],
    )
    _take_over(Handler(stream), formatter)


def redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last processor before the renderer: what it gives is plain, redacted and in order."""
    ordered = {key: event[key] for key in FIRST if key in event} | dict(event)
    return fields(ordered)


class Handler(logging.StreamHandler[TextIO]):
    """Writes a line; one that cannot be written is lost, and at most that is said."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say where a line was lost.  logging itself would print the arguments, unredacted."""
        with contextlib.suppress(Exception):
            where = f"{record.pathname}:{record.lineno}"
            line = dumps({"level": "error", "event": "log line lost", "at": where})
            self.stream.write(line + self.terminator)


def _take_over(handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in list(root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed


def _crashed(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        log.critical("process crashed", exc_info=(kind, error, traceback))


def _thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_type is not SystemExit:
        thread = crash.thread.name if crash.thread else None
        trace = (crash.exc_type, crash.exc_value, crash.exc_traceback)
        log.critical("thread crashed", thread=thread, exc_info=trace)
