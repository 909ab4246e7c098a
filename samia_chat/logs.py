"""Logs: one JSON object a line, with the request id. Never a message's text, a token, a cookie or a signed address."""

from __future__ import annotations

import logging
import logging.config
from typing import Any

import msgspec

from samia_chat import actor

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_SECRET = ("password", "token", "ticket", "cookie", "authorization", "secret", "content")


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        who = actor.current()
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if who.request_id:
            line["request"] = who.request_id
        if who.user_id:
            line["user"] = str(who.user_id)
        for name, value in vars(record).items():
            if name not in _PLAIN:
                line[name] = "…" if any(word in name.lower() for word in _SECRET) else value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(options: dict[str, Any]) -> None:
    """Called by Django with settings.LOGGING."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JSONFormatter}},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["console"], "level": options["level"]},
            "loggers": {
                # Each request has a line of its own in samia.access; Django's warning about 4xx would double it.
                "django.request": {"level": "ERROR"},
                "uvicorn.access": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
                "procrastinate": {"level": "WARNING"},
                # At DEBUG they write what they sign, and the signatures.
                **{name: {"level": "WARNING"} for name in ("boto3", "botocore", "s3transfer", "urllib3")},
            },
        }
    )
