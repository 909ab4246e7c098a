"""Voice messages that wait: who hears them, who decides, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.identity import actor_of
from accounts.models import User
from accounts.services.user import change_role
from chat.models import VoiceReview
from chat.services import voice_review
from chat.services.message import delete_message
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.errors import Problem
from samia_chat.roles import Role
from tests.cast import World, remove, set_state
from tests.database import Truth
from tests.files import tone
from tests.rest import Answer, Api


def held(world: World, **fields: object) -> dict[str, Any]:
    """A voice message of the reader, waiting."""
    answer = Api(world.reader).upload(world.session, tone(seconds=0.5), "voice.webm", kind="voice", **fields)
    assert answer.status == 201, answer.body
    assert answer.body["status"] == "pending_approval"
    message: dict[str, Any] = answer.body
    return message


def approve(world: World, message: dict[str, Any], who: str = "monitor") -> Answer:
    return Api(world.people[who]).post(f"/chat/messages/{message['id']}/approve")


def reject(world: World, message: dict[str, Any], who: str = "monitor", reason: str = "Not here, please.") -> Answer:
    return Api(world.people[who]).post(f"/chat/messages/{message['id']}/reject", {"reason": reason})


def thread(world: World, who: str) -> dict[str, Any]:
    body: dict[str, Any] = Api(world.people[who]).get(f"/chat/sessions/{world.session}/messages").body
    return body


def test_until_it_is_approved_only_its_sender_and_staff_see_it(world: World) -> None:
    message = held(world)
    assert thread(world, "client")["unpublished"] == []
    assert thread(world, "client")["results"] == []
    assert thread(world, "reader")["unpublished"] == [message]
    assert thread(world, "monitor")["unpublished"] == [message]
    assert Api(world.client).get(f"/chat/sessions/{world.session}").body["last_seq"] == 0


def test_approval_publishes_it_as_the_newest_message(world: World, truth: Truth) -> None:
    message = held(world)
    Api(world.client).send(world.session, "meanwhile")
    answer = approve(world, message)
    assert answer.status == 200, answer.body
    assert (answer.body["status"], answer.body["seq"], answer.body["id"]) == ("approved", 2, message["id"])
    assert [row["id"] for row in thread(world, "client")["results"]][1] == message["id"]
    assert thread(world, "client")["results"][1]["file"]["waveform"] == message["file"]["waveform"]
    assert thread(world, "reader")["unpublished"] == []
    assert Api(world.client).get(f"/chat/sessions/{world.session}").body["mine"]["unread"] == 1
    assert truth.one("SELECT bool_and(is_published) FROM chat_files")
    actions = {row["action"] for row in truth.rows("SELECT action FROM chat_audit_logs")}
    assert {"message.approved", "voice_review.created", "file.created"} <= actions


def test_rejection_needs_a_reason_and_tells_it_to_the_sender_alone(world: World, truth: Truth) -> None:
    message = held(world)
    for empty in ("", "  \n"):
        refused = reject(world, message, reason=empty)
        assert refused.code in ("reason_needed", "invalid"), refused.body
    answer = reject(world, message, reason="  Too personal. ")
    assert (answer.status, answer.body["status"], answer.body["reason"]) == (200, "rejected", "Too personal.")
    assert thread(world, "reader")["unpublished"] == [answer.body]
    assert thread(world, "client")["unpublished"] == []
    assert truth.one("SELECT count(*) FROM chat_files WHERE is_published") == 0
    assert truth.one("SELECT reason FROM chat_audit_logs WHERE action = 'message.rejected'") == "Too personal."


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize(("who", "status"), [("client", 404), ("client2", 404), ("reader", 403), ("reader2", 404)])
def test_who_is_not_of_the_staff_decides_nothing(world: World, truth: Truth, who: str, status: int, verb: str) -> None:
    message = held(world)
    assert (approve if verb == "approve" else reject)(world, message, who).status == status
    assert truth.one("SELECT status FROM chat_messages") == "pending_approval"
    assert truth.one("SELECT count(*) FROM chat_voice_reviews") == 0


@pytest.mark.parametrize("who", ["monitor", "admin", "super_admin"])
def test_staff_decide(world: World, who: str) -> None:
    assert approve(world, held(world), who).status == 200
    assert reject(world, held(world), who).status == 200


def test_the_second_who_decides_is_told_and_nothing_changes(world: World) -> None:
    message = held(world)
    approve(world, message)
    assert approve(world, message, "admin").code == "already_reviewed"
    assert reject(world, message, "admin").code == "already_reviewed"
    assert reject(world, message).code == "already_reviewed"
    again = approve(world, message)
    assert (again.status, again.body["seq"]) == (200, 1)
    other = held(world)
    reject(world, other)
    assert approve(world, other, "admin").code == "already_reviewed"
    assert reject(world, other).status == 200


def test_of_two_at_once_one_wins(world: World, truth: Truth) -> None:
    message = held(world)
    outcomes: list[str] = []
    begin = threading.Barrier(4)

    def decide(who: str, verdict: VoiceReview.Verdict) -> None:
        person = world.people[who]
        try:
            with actor.acting_as(actor_of(person, Actor())):
                begin.wait()
                voice_review.review_voice(by=person, message_id=UUID(message["id"]), verdict=verdict, reason="why")
            outcomes.append("ok")
        except Problem as problem:
            outcomes.append(problem.code)
        finally:
            connections.close_all()

    jobs = [
        threading.Thread(target=decide, args=(who, verdict))
        for who in ("monitor", "admin")
        for verdict in (VoiceReview.Verdict.APPROVE, VoiceReview.Verdict.REJECT)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert sorted(outcomes) == ["already_reviewed"] * 3 + ["ok"]
    assert truth.one("SELECT count(*) FROM chat_voice_reviews") == 1


def test_only_what_waits_is_decided_about(world: World) -> None:
    text = Api(world.client).send(world.session).body
    assert approve(world, text).code == "not_pending"
    assert reject(world, text).code == "not_pending"
    assert Api(world.monitor).post(f"/chat/messages/{uuid4()}/approve").status == 404


def test_nobody_approves_his_own(world: World) -> None:
    message = held(world)
    with actor.acting_as(actor_of(world.super_admin, Actor())):
        change_role(by=world.super_admin, user_id=world.reader.pk, role=Role.MONITOR)
    assert approve(world, message, "reader").code == "forbidden"


@pytest.mark.parametrize(
    ("verbs", "approved", "rejected"),
    [
        (("pause",), 200, 200),
        (("lock",), 200, 200),
        (("end",), 409, 200),
        (("end", "archive"), 409, 409),
    ],
)
def test_what_is_published_when_the_session_has_moved_on(
    world: World, verbs: tuple[str, ...], approved: int, rejected: int
) -> None:
    one, other = held(world), held(world)
    set_state(world.session, *verbs)
    assert approve(world, one).status == approved
    assert reject(world, other).status == rejected


def test_a_sender_who_has_left_still_has_his_voice_decided_about(world: World) -> None:
    message = held(world)
    remove(world.reader, world.session)
    assert approve(world, message).status == 200
    assert Api(world.reader).get(f"/chat/sessions/{world.session}/messages").status == 404


def test_roles_that_need_no_approval_are_heard_at_once(world: World) -> None:
    answer = Api(world.client).upload(world.session, tone(seconds=0.5), "voice.webm", kind="voice")
    assert (answer.status, answer.body["status"], answer.body["seq"]) == (201, "sent", 1)


def test_a_reader_gets_his_voice_past_nobody_as_an_attached_file(world: World) -> None:
    """What needs approval is decided by what it is, not by the door it came through."""
    answer = Api(world.reader).upload(world.session, tone(seconds=0.5), "song.webm")
    assert (answer.status, answer.body["status"]) == (201, "pending_approval")


def test_the_list_of_what_waits(world: World) -> None:
    one, other = held(world), held(world)
    monitor = Api(world.monitor)
    with CaptureQueriesContext(connections["default"]) as queries:
        answer = monitor.get("/chat/approvals")
    assert [row["message"]["id"] for row in answer.body["results"]] == [other["id"], one["id"]]
    assert answer.body["results"][0]["sender_name"] == "Reader"
    count = len(queries)
    for _ in range(3):
        held(world)
    with CaptureQueriesContext(connections["default"]) as queries:
        monitor.get("/chat/approvals")
    assert len(queries) == count
    first = monitor.get("/chat/approvals?limit=1").body
    assert (
        monitor.get(f"/chat/approvals?limit=1&cursor={first['next']}").body["results"][0]["message"]["id"]
        != (first["results"][0]["message"]["id"])
    )
    for who in ("client", "reader"):
        assert Api(world.people[who]).get("/chat/approvals").status == 403
    approve(world, one)
    assert one["id"] not in {row["message"]["id"] for row in monitor.get("/chat/approvals").body["results"]}


# Taken back ---------------------------------------------------------------------------------------------------------------


def take_back(world: World, message: dict[str, Any], who: str = "reader") -> Answer:
    return Api(world.people[who]).delete(f"/chat/messages/{message['id']}")


def make_old(truth: Truth, message: dict[str, Any]) -> None:
    truth.without_triggers(
        "UPDATE chat_messages SET created_at = created_at - interval '1 day' WHERE id = %s", message["id"]
    )


def test_its_sender_takes_back_what_waits_however_long_it_has_waited(world: World, truth: Truth) -> None:
    message = held(world, caption="For you")
    make_old(truth, message)
    answer = take_back(world, message)
    assert (answer.status, answer.body["status"], answer.body["content"]) == (200, "deleted", "")
    assert (answer.body["seq"], answer.body["file"]) == (None, None)
    assert take_back(world, message).body == answer.body, "again changes nothing"
    assert Api(world.monitor).get("/chat/approvals").body["results"] == []
    assert thread(world, "reader")["unpublished"] == [answer.body]
    assert thread(world, "client")["unpublished"] == thread(world, "client")["results"] == []
    assert Api(world.client).get(f"/chat/sessions/{world.session}").body["last_seq"] == 0
    assert truth.rows("SELECT state, is_published FROM chat_files") == [{"state": "deleted", "is_published": False}]
    assert Api(world.reader).get(f"/chat/files/{message['file']['id']}").status == 404
    actions = [
        row["action"] for row in truth.rows("SELECT action FROM chat_audit_logs WHERE record_id = %s", message["id"])
    ]
    assert actions.count("message.deleted") == 1
    assert truth.one("SELECT content FROM chat_message_versions") == "For you"
    for decide in (approve, reject):
        assert decide(world, message).code == "not_pending"


@pytest.mark.parametrize(
    ("who", "status"),
    [("client", 404), ("client2", 404), ("reader2", 404), ("monitor", 403), ("admin", 403), ("super_admin", 403)],
)
def test_nobody_else_takes_it_back(who: str, status: int, world: World, truth: Truth) -> None:
    message = held(world)
    assert take_back(world, message, who).status == status
    assert truth.one("SELECT status FROM chat_messages") == "pending_approval"
    assert truth.one("SELECT count(*) FROM chat_files WHERE state = 'deleted'") == 0


def test_who_left_and_whose_session_is_closed_takes_nothing_back(world: World, truth: Truth) -> None:
    message = held(world)
    set_state(world.session, "lock")
    assert take_back(world, message).code == "session_state"
    set_state(world.session, "unlock")
    remove(world.reader, world.session)
    assert take_back(world, message).status == 404
    assert truth.one("SELECT status FROM chat_messages") == "pending_approval"


def test_what_was_decided_is_not_taken_back(world: World, truth: Truth) -> None:
    rejected, approved = held(world), held(world)
    reject(world, rejected)
    assert take_back(world, rejected).code == "already_reviewed"
    approve(world, approved)
    make_old(truth, approved)
    assert take_back(world, approved).code == "edit_window_over"
    assert Api(world.reader).patch(f"/chat/messages/{rejected['id']}", {"content": "x"}).status == 404
    assert sorted(row["status"] for row in truth.rows("SELECT status FROM chat_messages")) == ["approved", "rejected"]


def at_once(jobs: dict[str, tuple[User, Callable[[], object]]]) -> dict[str, str]:
    """What becomes of each job when all of them begin together: "ok", or the code of the refusal."""
    outcomes: dict[str, str] = {}
    begin = threading.Barrier(len(jobs))

    def run(name: str, person: User, job: Callable[[], object]) -> None:
        try:
            with actor.acting_as(actor_of(person, Actor())):
                begin.wait()
                job()
            outcomes[name] = "ok"
        except Problem as problem:
            outcomes[name] = problem.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(name, *job)) for name, job in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("verdict", list(VoiceReview.Verdict))
def test_taken_back_and_decided_at_once_one_wins_and_the_other_is_told(
    verdict: VoiceReview.Verdict, world: World, truth: Truth
) -> None:
    for _ in range(4):
        message = held(world)
        make_old(truth, message)  # so that what is published is not deleted
        pk = UUID(message["id"])
        review = partial(voice_review.review_voice, by=world.monitor, message_id=pk, verdict=verdict, reason="why")
        outcomes = at_once(
            {
                "review": (world.monitor, review),
                "delete": (world.reader, partial(delete_message, by=world.reader, message_id=pk)),
            }
        )
        if truth.one("SELECT status FROM chat_messages WHERE id = %s", pk) == "deleted":
            assert outcomes == {"delete": "ok", "review": "not_pending"}
        else:
            told = "edit_window_over" if verdict == VoiceReview.Verdict.APPROVE else "already_reviewed"
            assert outcomes == {"delete": told, "review": "ok"}
