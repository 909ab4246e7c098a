"""/api/audit: the record, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from audit.access import AUDIT
from audit.models import AuditLog
from samia_chat.api.pages import PageQuery, page
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import Forbidden
from samia_chat.openapi import refuses


class AuditQuery(PageQuery):
    actor = serializers.UUIDField(required=False, help_text="Who did it.")
    session = serializers.UUIDField(required=False, help_text="In which session.")


class AuditEntrySchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    actor = serializers.UUIDField(allow_null=True)
    actor_role = serializers.CharField(allow_blank=True)
    actor_name = serializers.CharField(allow_blank=True, help_text="Of the command or job, where nobody acted.")
    action = serializers.CharField(help_text="noun.verb")
    table_name = serializers.CharField(allow_blank=True)
    record_id = serializers.UUIDField(allow_null=True)
    session_id = serializers.UUIDField(allow_null=True)
    old_values = serializers.DictField(allow_null=True, help_text="Columns before; null where there was no row.")
    new_values = serializers.DictField(allow_null=True, help_text="Columns after, or what is known of the event.")
    ip_address = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    chain = serializers.UUIDField()
    n = serializers.IntegerField(help_text="Its number in the chain.")
    hash = serializers.CharField(help_text="Over this record and the hash before it; hex.")


class AuditPageSchema(serializers.Serializer[Any]):
    results = AuditEntrySchema(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor of the next page.")


def entry_shape(entry: AuditLog) -> dict[str, Any]:
    names = [str(name) for name in AuditEntrySchema().fields]
    return {name: getattr(entry, name) for name in names} | {"hash": bytes(entry.hash).hex()}


@extend_schema(tags=["audit"])
class AuditViewSet(ViewSet):
    query_parameters = {"list": frozenset({"cursor", "limit", "actor", "session"})}

    @extend_schema(parameters=[AuditQuery], responses={200: AuditPageSchema}, operation_id="audit")
    @refuses(Forbidden)
    def list(self, request: SignedInRequest) -> Response:
        """What was done, newest first; by actor or session."""
        if AUDIT.rule(request.user, "view") is None:
            raise Forbidden
        asked = AuditQuery.of(request.query_params)
        rows = AUDIT.scope(request.user)
        keys: dict[str, Callable[[str], Any]] = {"id": UUID}
        if "actor" in asked:
            rows = rows.filter(actor=asked["actor"])
        if "session" in asked:
            # A session's records are its chain: its numbers are in order where ids made at once need not be, and have the index.
            rows, keys = rows.filter(chain=asked["session"]), {"n": int}
        found, following = page(rows, asked, keys=keys)
        return Response({"results": [entry_shape(entry) for entry in found], "next": following})
