"""docs/asyncapi.yaml is a valid AsyncAPI document, says what the code does, all of it, and can find a frame wrong."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import jsonschema
import msgspec
import pytest
from django.conf import settings
from django.test import override_settings

from chat import frames as made
from chat import shapes
from chat.live import consumer, presence, requests, runtime, typing
from chat.models import Booking, ChatSession, Message, Participant, Person, SessionState
from chat.models.message import MAX_CHARS
from chat.services import sync
from samia_chat.errors import Problem
from samia_chat.limits import limiter
from samia_chat.realtime import hub as hubs
from samia_chat.realtime import outbox
from samia_chat.realtime.events import Event, encode
from tests import frames
from tests.cast import World, make_session
from tests.device import Device
from tests.files import picture, tone
from tests.frames import WrongFrame, check_received, check_sent, document
from tests.rest import Api, in_thread

HERE = Path(__file__).parent.parent.parent
VENDORED = HERE / "tests" / "vendor" / "asyncapi-3.0.0.json"
SIDES = ("client", "server")
EVERY_FRAME = [(side, kind) for side in SIDES for kind in sorted(frames.kinds(side))]
REQUEST_TYPES = get_args(requests.Request)


# The document itself -----------------------------------------------------------------------------------------------------


def test_the_schema_of_asyncapi_is_the_one_vendored() -> None:
    found = hashlib.sha256(VENDORED.read_bytes()).hexdigest()
    assert found in (VENDORED.parent / "README.md").read_text()


def test_the_document_is_asyncapi_3() -> None:
    judge = jsonschema.Draft7Validator(json.loads(VENDORED.read_text()))
    assert [f"{error.json_path}: {error.message}" for error in judge.iter_errors(document())] == []
    broken = {**document(), "channels": {"chat": {"adress": "/ws/chat"}}}
    assert list(judge.iter_errors(broken)), "the schema finds nothing wrong with a misspelt field"


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    targets = set(references(document()))
    for reference in targets:
        assert resolve(reference), reference
    components = document()["components"]
    for kind in ("messages", "schemas"):
        assert {f"#/components/{kind}/{name}" for name in components[kind]} <= targets


def test_every_message_belongs_to_an_operation() -> None:
    listed = set(document()["channels"]["chat"]["messages"])
    assert listed == set(document()["components"]["messages"])
    used = {reference.rpartition("/")[2] for reference in references(document()["operations"])} - {"chat"}
    assert used == listed
    for name, operation in document()["operations"].items():
        side = "client" if operation["action"] == "receive" else "server"
        assert all(m["$ref"].rpartition("/")[2].startswith(side) for m in operation["messages"]), name


@pytest.mark.parametrize(("side", "kind"), EVERY_FRAME)
def test_examples_are_as_described(side: str, kind: str) -> None:
    message = document()["components"]["messages"][f"{side}.{kind}"]
    assert message["name"] == kind
    assert message["payload"]["properties"]["type"] == {"const": kind}
    assert message["examples"]
    for example in message["examples"]:
        frames._check(side, example["payload"])


def test_no_object_is_open() -> None:
    """Else an unknown field would pass."""
    for schema in objects([frames.document()["components"]["schemas"], *(frames.payload(*at) for at in EVERY_FRAME)]):
        closed = schema.get("additionalProperties")
        assert closed is False or isinstance(closed, dict), schema


# Against the code: what clients send -------------------------------------------------------------------------------------


def test_requests_are_those_of_the_code() -> None:
    assert frames.kinds("client") == {kind.__struct_config__.tag for kind in REQUEST_TYPES}


NARROWER: dict[tuple[str, str], dict[str, Any]] = {
    # The service refuses them; the decoder lets them through so that the refusal has its own code.
    ("send_message", "content"): {"minLength": 1, "maxLength": MAX_CHARS},
    # The decoder refuses other keys, but msgspec's schemas have no word for it.
    ("resume", "sessions"): {"propertyNames": {"format": "uuid"}},
}


@pytest.mark.parametrize("kind", REQUEST_TYPES, ids=lambda kind: kind.__name__)
def test_a_request_has_the_fields_of_its_type(kind: type[msgspec.Struct]) -> None:
    """Names, types, formats, bounds, defaults and what is required."""
    (_, types) = msgspec.json.schema_components([kind])
    name = kind.__struct_config__.tag
    wanted = plain(types[kind.__name__])
    for (frame, field), bounds in NARROWER.items():
        if frame == name:
            wanted["properties"][field].update(bounds)
    assert plain(frames.payload("client", name)) == wanted


@pytest.mark.parametrize("kind", sorted(frames.kinds("client")))
def test_the_examples_are_understood(kind: str) -> None:
    for example in document()["components"]["messages"][f"client.{kind}"]["examples"]:
        requests.decoder.decode(json.dumps(example["payload"]))


# Against the code: what the server sends -----------------------------------------------------------------------------------

NOW = datetime(2026, 3, 14, 19, 2, 11, 482913, tzinfo=UTC)
SESSION, USER, OTHER = uuid4(), uuid4(), uuid4()
A_MESSAGE = shapes.sent_message_shape(
    message_id=uuid4(),
    session_id=SESSION,
    sender_id=USER,
    seq=1,
    revision=2,
    content="hello",
    reply_to=None,
    created_at=NOW,
)
A_SESSION = ChatSession(id=SESSION, type="general", status="active", created_at=NOW, updated_at=NOW)
A_PARTICIPANT = Participant(session_id=SESSION, user_id=USER, role_in_session="client", joined_at=NOW)
A_PERSON = Person(id=USER, display_name="Lina", role="client")
CURSORS = {"delivered": 3, "seen": 2, "read": 1, "own_ahead": 0}
# Every function of chat/frames.py, with every kind of frame it makes.
EVENTS: dict[str, list[Event]] = {
    "message_event": [
        made.message_event(kind, A_MESSAGE, members_revision=1)
        for kind in ("new_message", "message_updated", "message_deleted")
    ],
    "voice_event": [
        made.voice_event(kind, {**A_MESSAGE, "type": "audio", "seq": None, "revision": None})
        for kind in ("voice_approval_needed", "voice_approved", "voice_rejected", "voice_withdrawn")
    ],
    "file_waiting": [made.file_waiting(A_MESSAGE)],
    "session_updated": [made.session_updated(shapes.session_event_shape(A_SESSION), revision=2, members_revision=1)],
    "participant_added": [
        made.participant_added(SESSION, shapes.participant_shape(A_PARTICIPANT, A_PERSON), revision=2)
    ],
    "participant_removed": [made.participant_removed(SESSION, USER, revision=2)],
    "receipt": [made.receipt(kind, SESSION, USER, CURSORS) for kind in ("delivered", "seen", "read")],
    "typing": [
        made.typing(kind, SESSION, USER, what, members_revision=1)
        for kind in ("typing_start", "typing_stop")
        for what in ("text", "voice")
    ],
    "looking": [made.looking(kind, SESSION, USER, members_revision=1) for kind in ("user_joined", "user_left")],
    "person_changed": [made.person_changed(USER, avatar, [SESSION, OTHER]) for avatar in (uuid4(), None)],
    "presence_changed": [
        made.presence_changed({"user": USER, "state": state, "last_seen_at": NOW}, [SESSION, OTHER])
        for state in ("online", "away", "offline")
    ],
}


def test_every_function_that_makes_frames_is_here() -> None:
    functions = {
        name for name, value in vars(made).items() if inspect.isfunction(value) and inspect.getmodule(value) is made
    }
    assert set(EVENTS) == functions


@pytest.mark.parametrize("event", [event for events in EVENTS.values() for event in events])
def test_a_frame_that_is_made_is_described(event: Event) -> None:
    frame = json.loads(event.frame)
    check_received(frame)
    message = document()["components"]["messages"][f"server.{frame['type']}"]
    assert set(frame) == set(message["payload"]["properties"])
    assert message["x-ordered"] is (event.revision is not None)
    assert message["x-droppable"] is (event.revision is None and not event.to_staff)


def test_every_frame_that_the_code_names_is_described_and_no_other() -> None:
    written = list(written_frames())
    for kind, fields in written:
        assert kind in frames.kinds("server"), f"{kind} is sent and not described"
        assert fields <= set(frames.payload("server", kind)["properties"]), kind
    computed = {json.loads(event.frame)["type"] for events in EVENTS.values() for event in events}
    assert {kind for kind, _ in written} | computed == frames.kinds("server")


def written_frames() -> Iterator[tuple[str, set[str]]]:
    """Type and fields of every frame written as a dictionary where frames are made."""
    places = ["chat/frames.py", *(f"{folder}/*.py" for folder in ("chat/live", "samia_chat/realtime"))]
    for path in (path for place in places for path in HERE.glob(place)):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Dict):
                continue
            fields = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            kind = fields.get("type")
            if isinstance(kind, ast.Constant) and not kind.value.startswith("websocket."):
                yield kind.value, set(fields)


async def test_everything_that_is_described_is_really_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One conversation in which every frame with every field comes over a socket."""
    monkeypatch.setattr(presence, "CALM_SECONDS", 0.1)
    reader = await Device(world.reader).open()
    client = await Device(world.client).open()
    monitor = await Device(world.monitor).open()
    api = {person: await in_thread(Api, person) for person in (world.client, world.reader, world.admin)}
    session = str(world.session)
    await talk(client, reader, world.session)
    await reader.expect("presence_changed", user=world.client.pk)

    await in_thread(api[world.client].change_avatar, picture())
    await reader.expect("person_changed", user=world.client.pk)

    message = await client.say(session, "hello")
    await in_thread(api[world.client].patch, f"/chat/messages/{message['id']}", {"content": "hello again"})
    await in_thread(api[world.client].delete, f"/chat/messages/{message['id']}")
    for verb, kind in (("approve", "voice_approved"), ("reject", "voice_rejected")):
        held = await in_thread(api[world.reader].upload, session, tone(seconds=0.3), "voice.webm", kind="voice")
        await reader.expect("voice_approval_needed")
        reason = {"reason": "not here"} if verb == "reject" else None
        await in_thread(api[world.admin].post, f"/chat/messages/{held.body['id']}/{verb}", reason)
        await reader.expect(kind)
    held = await in_thread(api[world.reader].upload, session, tone(seconds=0.3), "voice.webm", kind="voice")
    await in_thread(api[world.reader].delete, f"/chat/messages/{held.body['id']}")
    await reader.expect("voice_withdrawn")
    with override_settings(CLAMAV="unix:/nowhere"):
        await in_thread(api[world.client].upload, session, b"notes", "notes.txt")
    await monitor.expect("file_waiting")
    await in_thread(api[world.reader].post, f"/chat/sessions/{session}/pause")
    for kind in ("new_message", "message_updated", "message_deleted", "session_updated"):
        await reader.expect(kind)

    await in_thread(api[world.admin].post, f"/chat/sessions/{session}/participants", {"user": str(world.client2.pk)})
    await in_thread(api[world.admin].delete, f"/chat/sessions/{session}/participants/{world.client2.pk}")
    await in_thread(api[world.admin].delete, f"/chat/sessions/{session}/participants/{world.client.pk}")
    for kind in ("participant_added", "participant_removed"):
        await reader.expect(kind)
    await client.expect("participant_removed", session=session)
    await client.expect("session_created", session=await in_thread(make_session, world.client, world.reader))

    while limiter.take("message", str(world.reader.pk)) == 0:
        pass
    assert (await reader.ask("send_message", "error", session=session, content="hello"))["code"] == "too_fast"
    running = runtime.current()
    assert running is not None
    await running.hub.check_all(announce=True)
    await reader.expect("heartbeat")

    sent: dict[str, set[str]] = {}
    for frame in [*client.seen, *reader.seen, *monitor.seen]:
        sent.setdefault(frame["type"], set()).update(frame)
    assert sent == {kind: set(frames.payload("server", kind)["properties"]) for kind in frames.kinds("server")}
    for device in (client, reader, monitor):
        await device.hang_up()


async def talk(client: Device, reader: Device, session: UUID) -> None:
    """Everything that a client may ask, but for sending."""
    await client.ask("join_session", "session_joined", session=session)
    client.send("leave_session", session=session)
    for kind in ("user_joined", "user_left"):
        await reader.expect(kind)
    first = await reader.say(session, "first")
    for kind in ("messages_delivered", "messages_seen", "messages_read"):
        client.send(kind, session=session, up_to=first["seq"])
        await reader.expect(kind, user=client.person.pk)
    client.send("typing_start", session=session, kind="voice")
    client.send("typing_stop", session=session)
    for kind in ("typing_start", "typing_stop"):
        await reader.expect(kind)
    client.send("set_presence", state="away")
    await client.ask("get_online_users", "online_users", session=session)
    await client.ask("resume", "resumed", sessions={str(session): 0})
    await client.ask("ping", "pong")


# Shapes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Message", A_MESSAGE),
        (
            "Message",
            shapes.message_shape(Message(id=uuid4(), session_id=SESSION, type="text", content="", created_at=NOW)),
        ),
        ("Participant", shapes.participant_shape(A_PARTICIPANT, None)),
        ("Participant", shapes.participant_shape(A_PARTICIPANT, A_PERSON)),
        (
            "Booking",
            shapes.booking_shape(Booking(id=uuid4(), client_id=USER, service="Celtic Cross", scheduled_at=NOW)),
        ),
        ("SessionChange", shapes.session_event_shape(A_SESSION)),
        ("Mine", shapes.mine_shape(A_PARTICIPANT, last_seq=3)),
    ],
)
def test_a_shape_is_as_described(name: str, shape: dict[str, Any]) -> None:
    _holds(name, shape)


def test_the_shape_of_a_session_is_as_described() -> None:
    session = ChatSession(id=SESSION, type="booking", status="active", created_at=NOW, updated_at=NOW)
    session.state = SessionState(session=session, last_seq=1)
    shape = shapes.session_shape(
        session, revision=2, participants=[A_PARTICIPANT], people={}, last_message=None, viewer_id=USER
    )
    _holds("Session", shape)


def _holds(name: str, shape: dict[str, Any]) -> None:
    assert set(shape) == set(document()["components"]["schemas"][name]["properties"])
    frames.shape_validator(name).validate(json.loads(encode(shape)))


# Figures, codes ------------------------------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_code() -> None:
    # The names of x-limits, each with where the code has it.
    assert document()["channels"]["chat"]["x-limits"] == {
        "frame_bytes": settings.FRAME_MAX_BYTES,
        "transport_bytes": int(_option("--ws-max-size")),
        "frames_per_minute": settings.RATE_FRAMES,
        "messages_per_minute": settings.RATE_MESSAGES,
        "message_characters": MAX_CHARS,
        "requests_at_once": consumer.MAX_JOBS,
        "sockets_per_person": consumer.MAX_SOCKETS,
        "frames_waiting": outbox.CAPACITY,
        "sessions_per_resume": sync.MAX_NAMED,
        "sessions_per_answer": sync.MAX_SESSIONS,
        "heartbeat_seconds": settings.HEARTBEAT_SECONDS,
        "idle_seconds": runtime.IDLE_SECONDS,
        "early_milliseconds": hubs.EARLY_SECONDS * 1000,
        "receipts_seconds": consumer.RECEIPT_SECONDS,
        "typing_expires_seconds": typing.EXPIRES_SECONDS,
        "typing_repeat_seconds": typing.REPEAT_SECONDS,
        "presence_calm_seconds": presence.CALM_SECONDS,
        "presence_gone_seconds": int(
            _in_sql(
                r"seen_at > clock_timestamp\(\) - interval '(\d+) seconds'", "chat/migrations/sql/0006_presence.sql"
            )
        ),
        "ticket_seconds": settings.TICKET_SECONDS,
    }


def _option(name: str) -> str:
    return _in_sql(rf'"{name}", "(\d+)"', "samia_chat/embedded/up.py")


def _in_sql(pattern: str, path: str) -> str:
    (found,) = set(re.findall(pattern, (HERE / path).read_text()))
    return str(found)


def test_the_close_codes_are_those_of_the_code() -> None:
    places = ["chat/live/consumer.py", "chat/live/runtime.py", "samia_chat/asgi.py", "samia_chat/realtime/outbox.py"]
    used = {
        int(code) for place in places for code in re.findall(r"\b(?:1012|1013|44\d\d)\b", (HERE / place).read_text())
    }
    described = [entry["code"] for entry in document()["channels"]["chat"]["x-close-codes"]]
    assert described == sorted(used)


def test_the_error_codes_are_those_of_refusals() -> None:
    def below(problem: type[Problem]) -> set[str]:
        return {problem.code}.union(*map(below, problem.__subclasses__()))

    codes = frames.payload("server", "error")["properties"]["code"]["enum"]
    assert codes == sorted(codes)
    assert set(codes) <= below(Problem)


def test_the_digest_is_the_one_described() -> None:
    one, two = UUID(int=0x0F), UUID(int=0xF1)
    assert hubs.digest([one, two]) == f"{0xFE:032x}"
    assert hubs.digest([]) == "0" * 32


# Broken frames -------------------------------------------------------------------------------------------------------------

GOOD = json.loads(EVENTS["message_event"][0].frame)


@pytest.mark.parametrize(
    "broken",
    [
        {**GOOD, "type": "new_massage"},
        {**GOOD, "extra": 1},
        {name: value for name, value in GOOD.items() if name != "revision"},
        {**GOOD, "revision": "2"},
        {**GOOD, "revision": 0},
        {**GOOD, "session": "not-a-uuid"},
        {**GOOD, "message": {**GOOD["message"], "created_at": "yesterday"}},
        {**GOOD, "message": {**GOOD["message"], "created_at": "2026-03-14"}},
        {**GOOD, "message": {**GOOD["message"], "created_at": "2026-02-30T00:00:00Z"}},
        {**GOOD, "message": {**GOOD["message"], "attachment": None}},
        {**GOOD, "message": {name: value for name, value in GOOD["message"].items() if name != "seq"}},
        {**GOOD, "type": "participant_removed"},
        {"type": "participant_removed", "session": str(SESSION), "user": str(USER)},
        {"type": "heartbeat", "heads": {"nobody": 1}},
        {"type": "send_message", "session": str(SESSION), "content": "hello"},
        {"type": None},
        {},
    ],
)
def test_a_broken_frame_of_the_server_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(WrongFrame):
        check_received(broken)


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "send_message", "session": str(SESSION)},
        {"type": "send_message", "session": str(SESSION), "content": ""},
        {"type": "send_message", "session": str(SESSION), "content": "x" * (MAX_CHARS + 1)},
        {"type": "send_message", "session": str(SESSION), "content": "hello", "sender": str(USER)},
        {"type": "ping", "ref": "x" * 65},
        {"type": "ping", "ref": 1.5},
        {"type": "resume", "sessions": {str(SESSION): -1}},
        {"type": "resume", "sessions": {"nobody": 1}},
        {"type": "set_presence", "state": "invisible"},
        {"type": "new_message"},
    ],
)
def test_a_broken_frame_of_the_client_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(WrongFrame):
        check_sent(broken)


async def test_a_device_notes_a_frame_that_is_not_described(world: World) -> None:
    device = await Device(world.client).open()
    running = runtime.current()
    assert running is not None
    (socket,) = running.hub.sockets
    socket.push(encode({"type": "surprise"}))
    await device.expect("surprise")
    assert [type(wrong) for wrong in frames.wrong] == [WrongFrame]
    frames.wrong.clear()
    with pytest.raises(WrongFrame):
        device.send("send_message", session=world.session)
    device.send("send_message", session=world.session, unchecked=True)
    assert (await device.expect("error"))["code"] == "invalid"
    await device.hang_up()


# Schemas as data -----------------------------------------------------------------------------------------------------------


def references(node: Any) -> Iterator[str]:
    for child in children(node):
        if isinstance(child, dict) and isinstance(child.get("$ref"), str):
            yield child["$ref"]


def objects(node: Any) -> Iterator[dict[str, Any]]:
    for child in children(node):
        if isinstance(child, dict) and child.get("type") == "object":
            yield child


def children(node: Any) -> Iterator[Any]:
    """The node and everything below it."""
    yield node
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in below:
        yield from children(child)


def resolve(reference: str) -> Any:
    node: Any = document()
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    return node


def plain(schema: Any) -> Any:
    """A schema without references and without what is only for people, enumerations in one order."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return plain(resolve(schema["$ref"]))
    found = {name: plain(value) for name, value in schema.items() if name not in ("title", "description", "examples")}
    if "properties" in schema:
        found["properties"] = {name: plain(value) for name, value in schema["properties"].items()}
        found["required"] = sorted(schema.get("required", []))
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "enum" in found:
        found["enum"] = sorted(found["enum"])
    return found
