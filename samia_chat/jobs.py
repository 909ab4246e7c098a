"""The queue: procrastinate on PostgreSQL. Jobs are enqueued in the transaction they belong to; arguments are ids only."""

from __future__ import annotations

from procrastinate.contrib.django import app

__all__ = ["app"]
