"""/api/chat/files/{id}: a file, for whoever may open it, asked anew every time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from samia_chat.api.input import Query
from samia_chat.api.views import ViewSet
from samia_chat.api.wire import SignedInRequest
from samia_chat.errors import NotFound
from samia_chat.middleware import PRIVATE
from samia_chat.openapi import refuses
from storage import bucket, ranges
from storage.access import FILES
from storage.download import GUARDS, Stream, disposition, etag, headers
from storage.errors import FileGone, FileProcessing, FileRejected, RangeUnsatisfiable, StoreAway
from storage.models import ChatFile

State = ChatFile.State


class FileQuery(Query):
    rendition = serializers.ChoiceField(
        ChatFile.Rendition.choices, required=False, help_text="What was made of the file, instead of the file itself."
    )


def header(name: str, description: str, *statuses: int) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, response=list(statuses) or False, description=description
    )


@extend_schema(tags=["files"])
class FileViewSet(ViewSet):
    """Opening. (Deleting a file is a matter of its message, in a layer above.)"""

    query_parameters = {"retrieve": frozenset({"rendition"})}

    @extend_schema(
        operation_id="file_open",
        parameters=[
            FileQuery,
            header("Range", "One range of bytes."),
            header("If-Range", "The ETag of what one has a part of."),
            header("If-None-Match", "The ETags of what one has."),
            header("Content-Range", "Which part of how many bytes.", 206),
            header("ETag", "The SHA-256 of the contents.", 200, 206, 304),
            header("Location", "A signed address in the bucket, good for a minute.", 302),
        ],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="It lies in a bucket on S3: at Location, for a minute."),
            304: OpenApiResponse(description="It is as you have it."),
        },
    )
    @refuses(FileProcessing, FileRejected, FileGone, RangeUnsatisfiable, StoreAway)
    def retrieve(self, request: SignedInRequest, file: UUID) -> HttpResponseBase:
        """Open a file. Where it lies on S3 the answer is a redirect, to be followed without your Authorization, which the store
        would take for its own; on disk it is the file or the part asked for.

        Opening is recorded, once for each person, file and 15 minutes; of somebody's picture it is not, no more than of his name.
        """
        found = openable(request.user, file, FileQuery.of(request.query_params).get("rendition", ""))
        if found.purpose != ChatFile.Purpose.AVATAR:
            with connection.cursor() as cursor:
                cursor.execute("SELECT app.record_open(%s)", [file])
        method = "HEAD" if request.method == "HEAD" else "GET"
        url = bucket.signed_url(
            found.key, content_type=found.content_type, disposition=disposition(found), method=method
        )
        if url is not None:
            return HttpResponseRedirect(url, headers={**GUARDS, "Cache-Control": PRIVATE})
        return local(request, found)


def openable(person: Any, file_id: UUID, rendition: str = "") -> ChatFile:
    """The file, or what was made of it, if this person may open it now.

    Raises NotFound, also for what he may not see; FileProcessing, FileRejected, FileGone.
    """
    # What was made of a file is asked for by the file's id, so that it is never judged without it.
    file: ChatFile = FILES.get(person, "view", pk=file_id, parent__isnull=True)
    _refuse_unready(file)
    if not rendition:
        return file
    made = FILES.scope(person).filter(parent=file, rendition=rendition).first()
    if made is None:
        raise NotFound
    _refuse_unready(made)
    return made  # type: ignore[no-any-return]  # a row of FILES is a ChatFile


def _refuse_unready(file: ChatFile) -> None:
    """Deleted ones are evidence, which only staff see at all."""
    if file.state == State.PROCESSING:
        raise FileProcessing(retry_after=1)
    if file.state == State.REJECTED:
        raise FileRejected(reason=file.reason)
    if not file.has_object:
        raise FileGone


def local(request: SignedInRequest, file: ChatFile) -> HttpResponseBase:
    """The answer from our own disk: all of it, a part, or nothing because the client has it already."""
    tag, given = etag(file), request.headers
    common = headers(file)
    if ranges.is_known(given.get("If-None-Match", ""), tag):
        del common["Content-Type"]
        return HttpResponse(status=304, headers=common)
    span = None
    # RFC 9110, 14.2: a range is of a GET. With an If-Range that is not of this file, all of it.
    if request.method == "GET" and ranges.is_same(given.get("If-Range", tag), tag):
        span = ranges.span_of(given.get("Range", ""), file.size_bytes)
    start, length = (span.start, span.length) if span else (0, file.size_bytes)
    common["Content-Length"] = str(length)
    if request.method == "HEAD":
        return HttpResponse(headers=common)
    try:
        part = bucket.open_range(file.key, start, length)
    except FileNotFoundError:
        raise FileRejected("The file is lost. This is being looked into.", reason="lost") from None
    if span:
        common["Content-Range"] = span.content_range
    return StreamingHttpResponse(Stream(part), status=206 if span else 200, headers=common)
