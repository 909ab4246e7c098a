"""The matrix over the socket: what each role may ask for, and what reaches it without asking."""

from __future__ import annotations

import pytest

from samia_chat.limits import limiter
from tests.access.relations import RELATIONS, ROLES, Subject, make_subject, send_as
from tests.database import Truth
from tests.device import Device
from tests.rest import in_thread

OK = "ok"


def rows(app: str, monitor: str, admin: str) -> dict[str, list[str]]:
    """Outcomes per relation: own, other, left, ended, archived."""
    return {
        "client": app.split(),
        "reader": app.split(),
        "monitor": monitor.split(),
        "admin": admin.split(),
        "super_admin": admin.split(),
    }


# frame → role → outcome per relation: ok, or the code of the error
MATRIX = {
    "send_message": rows(
        "ok not_found not_found session_state session_state",
        "forbidden forbidden forbidden forbidden forbidden",
        "ok forbidden forbidden session_state session_state",
    ),
    "join_session": rows("ok not_found not_found ok session_state", "ok ok ok ok ok", "ok ok ok ok ok"),
    # staff who look in are no members
    "typing_start": rows(
        "ok not_found not_found session_state session_state",
        "ok not_found not_found session_state session_state",
        "ok not_found not_found session_state session_state",
    ),
    "messages_read": rows(
        "ok not_found not_found ok session_state",
        "ok not_found not_found ok session_state",
        "ok not_found not_found ok session_state",
    ),
    "get_online_users": rows("ok not_found not_found ok ok", "ok ok ok ok ok", "ok ok ok ok ok"),
    "resume": rows("ok gone gone ok ok", "ok ok ok ok ok", "ok ok ok ok ok"),
}


async def outcome(device: Device, frame: str, subject: Subject, relation: str) -> str:
    session = str(subject.to[relation].session)
    fields: dict[str, object] = {"session": session}
    if frame == "send_message":
        fields["content"] = "hello"
    elif frame == "messages_read":
        fields["up_to"] = 1
    elif frame == "resume":
        fields = {"sessions": {session: 0}}
    ref = device.send(frame, **fields)
    answers = ("ack", "session_joined", "online_users", "resumed")
    device.send("ping")  # what has no answer of its own has been looked at when the pong is there
    await device.expect("pong")
    if frame not in ("messages_read", "typing_start"):
        await wait_for(device, ref)
    error = next((f for f in device.frames if f["type"] == "error" and f["ref"] == ref), None)
    answer = next((f for f in device.frames if f["type"] in answers and f["ref"] == ref), None)
    device.frames.clear()
    if error:
        return str(error["code"])
    if frame == "resume":
        assert answer is not None
        assert (session in answer["gone"]) is not (session in [s["session"]["id"] for s in answer["sessions"]])
        return "gone" if session in answer["gone"] else OK
    return OK


async def wait_for(device: Device, ref: int) -> None:
    async with device._news:
        await device._news.wait_for(lambda: any(frame.get("ref") == ref for frame in device.frames))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("frame", MATRIX)
async def test_each_role_is_answered_as_the_matrix_says(frame: str, role: str, truth: Truth) -> None:
    subject = await in_thread(make_subject, role, truth)
    device = await Device(subject.person).open()
    outcomes = []
    for relation in RELATIONS:
        outcomes.append(await outcome(device, frame, subject, relation))
        limiter.reset()
    assert outcomes == MATRIX[frame][role]
    await device.hang_up()


@pytest.mark.parametrize("role", ROLES)
async def test_events_reach_members_and_whom_they_let_look(role: str, truth: Truth) -> None:
    subject = await in_thread(make_subject, role, truth)
    device = await Device(subject.person).open()
    for relation in ("own", "other", "left"):
        standing = subject.to[relation]
        await in_thread(send_as, standing.partner, standing.session, relation)
    assert (await device.expect("new_message"))["message"]["content"] == "own"
    await device.nothing("new_message")
    if role in ("monitor", "admin", "super_admin"):
        other = subject.to["other"]
        await device.ask("join_session", "session_joined", session=other.session)
        await in_thread(send_as, other.partner, other.session, "seen by staff")
        assert (await device.expect("new_message"))["message"]["content"] == "seen by staff"
        assert truth.one(
            "SELECT count(*) FROM chat_audit_logs WHERE action = 'session.viewed' AND actor = %s AND session_id = %s",
            subject.person.pk,
            other.session,
        )
        device.send("leave_session", session=other.session)
        await device.ask("ping", "pong")
        await in_thread(send_as, other.partner, other.session, "unseen")
        await device.nothing("new_message")
    await device.hang_up()
