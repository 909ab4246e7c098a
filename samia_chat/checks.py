"""What must be true before anything is served."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from samia_chat.access import MATRICES, OPEN_MODELS


@register(Tags.security)
def every_model_is_guarded(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A model has a matrix, or a line in OPEN_MODELS that says why it needs none."""
    return [
        Error(
            f"{model._meta.label} has no access matrix.",
            hint="Declare Access(…) in the app's access.py, or give the reason in OPEN_MODELS.",
            id="samia.E001",
        )
        for model in apps.get_models()
        if model._meta.label not in MATRICES and model._meta.label not in OPEN_MODELS
    ]


@register(Tags.security)
def secret_key_is_long(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 32:
        return []
    return [Error("SAMIA_SECRET_KEY has fewer than 32 characters.", hint="Take 50 random ones.", id="samia.E002")]


def refuse_unsafe_database() -> None:
    """Raise ImproperlyConfigured if we would serve with rights that make row-level security void, or on a wrong schema.

    Called when a server or a worker starts: system checks with a database run only when asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolbypassrls, current_setting('server_version_num')::int,"
            " pg_has_role(current_user, 'samia_owner', 'USAGE'), pg_has_role(current_user, 'samia_definer', 'USAGE')"
            " FROM pg_roles WHERE rolname = current_user"
        )
        name, is_above, version, is_owner, is_definer = cursor.fetchone()
    if is_above or is_owner or is_definer:
        raise ImproperlyConfigured(
            f"DATABASE_URL signs in as {name!r}, whom row-level security does not bind. Serve as samia_app."
        )
    if version < 180000:
        raise ImproperlyConfigured(f"PostgreSQL 18 is needed, and this is {version // 10000}.")
    pending = pending_migrations()
    if pending:
        raise ImproperlyConfigured(
            f"{len(pending)} migrations have not run, {pending[0]} first. Run manage.py migrate."
        )


def pending_migrations() -> list[str]:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
