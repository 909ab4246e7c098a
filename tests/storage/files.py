"""Files as uploads make them: the row as its owner writes it, the object, and the message."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts.identity import actor_of
from accounts.models import User
from chat.services import message as messages
from samia_chat import actor
from samia_chat.actor import Actor
from storage import bucket
from storage.models import ChatFile
from tests.rest import Answer, Api

ENDINGS = {"audio/webm": "webm", "audio/mp4": "m4a", "image/jpeg": "jpg", "application/pdf": "pdf", "text/plain": "txt"}
COLUMNS = (
    *("id", "session_id", "owner_id", "purpose", "key", "original_name", "content_type", "size_bytes", "sha256"),
    *("state", "parent_id", "rendition"),
)


def make_file(
    owner: User,
    session: UUID | None,
    *,
    content: bytes = b"",
    content_type: str = "audio/webm",
    name: str = "a file.webm",
    purpose: str = "attachment",
    state: str = "ready",
    parent: UUID | None = None,
    rendition: str = "",
    has_object: bool = True,
) -> UUID:
    """A file of that person's. What is made of one (`parent`) is written by the system, like the worker's."""
    content = content or os.urandom(1000)
    file_id = uuid4()
    key = bucket.key_of(session_id=session, owner_id=owner.pk, file_id=file_id, extension=ENDINGS[content_type])
    if has_object:
        put(key, content, content_type)
    values = (
        *(file_id, session, owner.pk, purpose, key, name, content_type, len(content), hashlib.sha256(content).digest()),
        *(state, parent, rendition),
    )
    is_ours = parent is not None or session is None
    with (
        actor.acting_as(actor.system("test") if is_ours else actor_of(owner, Actor())),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        places = ", ".join(["%s"] * len(COLUMNS))
        cursor.execute(f"INSERT INTO chat_files ({', '.join(COLUMNS)}) VALUES ({places})", values)
    return file_id


def make_avatar(owner: User) -> UUID:
    """A picture, which is his from now on."""
    file = make_file(owner, None, purpose="avatar", content_type="image/jpeg", name="picture.jpg")
    with actor.acting_as(actor_of(owner, Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT app.set_avatar(%s)", [file])
    return file


def put(key: str, content: bytes, content_type: str = "audio/webm") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content"
        path.write_bytes(content)
        bucket.put(key, path, content_type)


def send_file(owner: User, session: UUID, file: UUID, *, kind: str = "audio", is_held: bool = False) -> UUID:
    """The message of a file. `is_held`: it waits for approval."""
    message = uuid4()
    with actor.acting_as(actor_of(owner, Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT code FROM app.send_file_message(%s, %s, 'file', %s, '', NULL, %s, %s, %s)",
            [session, message, kind, file.hex, file, is_held],
        )
        (code,) = cursor.fetchone()
    assert code == "ok", code
    return message


def sent_file(owner: User, session: UUID, *, is_held: bool = False, **fields: Any) -> UUID:
    """A file with its message."""
    file = make_file(owner, session, **fields)
    send_file(owner, session, file, is_held=is_held)
    return file


def delete_message(owner: User, message: UUID) -> None:
    with actor.acting_as(actor_of(owner, Actor())):
        messages.delete_message(by=owner, message_id=message)


def row_of(file: UUID) -> ChatFile:
    with actor.acting_as(actor.system("test")), transaction.atomic():
        return ChatFile.objects.get(pk=file)


def open_file(api: Api, file: UUID, query: str = "", **headers: str) -> Answer:
    """What a browser gets: a redirect to the bucket is followed."""
    answer = api.get(f"/chat/files/{file}{query}", **headers)
    return fetch(answer.headers["Location"], **headers) if answer.status == 302 else answer


def fetch(url: str, method: str = "GET", **headers: str) -> Answer:
    """A request without any sign-in."""
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as found:
            return Answer(found.status, found.read(), dict(found.headers))
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.read(), dict(refused.headers))
