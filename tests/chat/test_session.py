"""Sessions: opening, states, members, mute, and what of it others are told."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from accounts.identity import actor_of
from accounts.models import User
from chat.models import ChatSession
from samia_chat import actor
from samia_chat.actor import Actor
from tests.cast import World, as_system, make_booking, make_person, make_session, remove, set_state
from tests.database import Truth
from tests.device import Device
from tests.rest import Answer, Api, in_thread


def test_a_booking_has_one_live_session(world: World) -> None:
    api = Api(world.client)
    again = api.post("/chat/sessions", {"type": "booking", "booking": world.booking.pk})
    assert (again.status, again.body["id"]) == (200, str(world.session))
    set_state(world.session, "end")
    new = api.post("/chat/sessions", {"type": "booking", "booking": world.booking.pk})
    assert new.status == 201
    assert new.body["id"] != str(world.session)
    assert {p["user"] for p in new.body["participants"]} == {str(world.client.pk), str(world.reader.pk)}
    assert new.body["booking"]["service"] == "Celtic Cross"


def reassign(world: World, **people: User) -> None:
    """The platform names other people for the booking."""
    booking = {"client": world.client, "reader": world.reader, **people}
    answer = Api(world.admin).put(
        f"/bookings/{world.booking.pk}",
        {
            **{name: person.pk for name, person in booking.items()},
            "service": "Celtic Cross",
            "scheduled_at": "2026-12-01T10:00:00Z",
            "status": "confirmed",
        },
    )
    assert answer.status == 200


def reopen(world: World, person: User) -> Answer:
    return Api(person).post("/chat/sessions", {"type": "booking", "booking": world.booking.pk})


async def test_a_reader_who_takes_a_booking_over_enters_its_live_session(world: World, truth: Truth) -> None:
    client, newcomer = await Device(world.client).open(), await Device(world.reader2).open()
    sent = await client.say(world.session, "before")
    await in_thread(reassign, world, reader=world.reader2)
    opened = await in_thread(reopen, world, world.reader2)
    assert (opened.status, opened.body["id"]) == (200, str(world.session))
    assert (opened.body["mine"]["unread"], opened.body["last_message"]["content"]) == (0, "before")
    frame = await client.expect("participant_added")
    assert frame["participant"]["user"] == str(world.reader2.pk)
    assert frame["participant"]["role_in_session"] == "reader"
    assert frame["revision"] == sent["revision"] + 1 == opened.body["revision"]
    assert (await newcomer.expect("session_created"))["session"] == str(world.session)
    await newcomer.say(world.session, "after")
    assert (await in_thread(reopen, world, world.reader2)).status == 200  # again: nothing is written
    entries = truth.rows(
        "SELECT actor, new_values FROM chat_audit_logs WHERE action = 'participant.added' AND actor IS NOT NULL"
    )
    assert [(entry["actor"], entry["new_values"]["user_id"]) for entry in entries] == [
        (world.reader2.pk, str(world.reader2.pk))
    ]


@pytest.mark.parametrize("who", ["client", "admin"])
def test_whoever_opens_the_new_reader_enters(who: str, world: World) -> None:
    reassign(world, reader=world.reader2)
    opened = reopen(world, world.people[who])
    assert opened.status == 200
    members = {p["user"] for p in opened.body["participants"] if p["left_at"] is None}
    assert members == {str(world.client.pk), str(world.reader.pk), str(world.reader2.pk)}


@pytest.mark.parametrize("who", ["client", "reader"])
def test_whom_staff_removed_does_not_come_back_by_opening(who: str, world: World, truth: Truth) -> None:
    remove(world.people[who], world.session)
    other = world.reader if who == "client" else world.client
    for _ in range(2):
        refused = reopen(world, world.people[who])
        assert (refused.status, refused.code) == (403, "forbidden")
        assert reopen(world, other).status == 200  # nor does he by the other's
    assert truth.one("SELECT participants FROM chat_sessions WHERE id = %s", world.session) == [other.pk]
    set_state(world.session, "end")
    assert reopen(world, world.people[who]).status == 201


def test_a_client_in_anothers_place_does_not_get_to_read_his_words(world: World, truth: Truth) -> None:
    Api(world.client).send(world.session, "between us")
    reassign(world, client=world.client2, reader=world.reader2)
    refused = reopen(world, world.client2)
    assert (refused.status, refused.code) == (403, "forbidden")
    members = "SELECT participants FROM chat_sessions WHERE id = %s"
    assert set(truth.one(members, world.session)) == {world.client.pk, world.reader.pk}  # a refusal writes nothing
    set_state(world.session, "end")
    assert reopen(world, world.client2).body["last_message"] is None


def test_a_session_that_ends_while_it_is_opened_again_makes_room_for_a_new_one(world: World, truth: Truth) -> None:
    """It ends just after the opening has found it there."""
    truth.rows(
        f"""
        CREATE FUNCTION public.end_it() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE public.chat_sessions SET status = 'ended', ended_at = now()
           WHERE id = '{world.session}' AND status = 'active';
          RETURN NULL;
        END $$;
        CREATE TRIGGER end_it AFTER INSERT ON chat_sessions FOR EACH STATEMENT EXECUTE FUNCTION public.end_it()
        """
    )
    try:
        opened = reopen(world, world.client)
    finally:
        truth.rows("DROP FUNCTION public.end_it() CASCADE")
    assert opened.status == 201, opened.body
    assert opened.body["id"] != str(world.session)
    assert truth.one("SELECT status FROM chat_sessions WHERE id = %s", world.session) == "ended"


def test_bookings_that_give_no_session(world: World) -> None:
    lonely, cancelled = make_booking(world.client, None), make_booking(world.client, world.reader, status="cancelled")
    api = Api(world.client)
    for booking, status, code in (
        (lonely.pk, 409, "no_reader"),
        (cancelled.pk, 409, "booking_cancelled"),
        (uuid4(), 404, "not_found"),
    ):
        answer = api.post("/chat/sessions", {"type": "booking", "booking": booking})
        assert (answer.status, answer.code) == (status, code)


def test_support_goes_to_the_administrator_with_the_least_to_do(world: World) -> None:
    other = make_person("another", "admin")
    first = Api(world.client).post("/chat/sessions", {"type": "support"}).body
    second = Api(world.client2).post("/chat/sessions", {"type": "support"}).body
    staff = [next(p["user"] for p in s["participants"] if p["role_in_session"] == "staff") for s in (first, second)]
    assert set(staff) == {str(world.admin.pk), str(other.pk)}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "party"},
        {"type": "booking"},
        {"type": "general", "booking": str(uuid4())},
        {"type": "booking", "booking": str(uuid4()), "people": [str(uuid4())]},
        {"type": "support", "people": [str(uuid4())] * 21},
        {"type": "support", "status": "active"},
        {"type": "support", "participants": []},
        {"type": "general", "title": "x" * 201, "people": []},
        {"type": "general", "title": "a\u202eb", "people": []},
        {"type": "support", "people": "all"},
        {"type": {"$ne": ""}},
    ],
)
def test_an_opening_of_another_form_is_refused(body: dict[str, object], world: World) -> None:
    answer = Api(world.admin).post("/chat/sessions", body)
    assert (answer.status, answer.code) == (400, "invalid"), answer.body


def test_people_who_are_not_there_or_closed_are_unknown(world: World, truth: Truth) -> None:
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.reader.pk)
    for whom in (str(uuid4()), str(world.reader.pk)):
        answer = Api(world.admin).post("/chat/sessions", {"type": "general", "people": [whom]})
        assert (answer.status, answer.code) == (400, "unknown_person")


@pytest.mark.parametrize("who", ["client", "reader", "monitor"])
def test_asking_for_support_does_not_tell_who_is_there(who: str, world: World, truth: Truth) -> None:
    """A person, a closed account, a closed administrator's and nobody's id: one answer."""
    closed = make_person("closed", "admin")
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = ANY (%s)", [closed.pk, world.reader2.pk])
    api = Api(world.people[who])
    bodies = []
    for named in (world.client2.pk, world.reader2.pk, closed.pk, uuid4()):
        answer = api.post("/chat/sessions", {"type": "support", "people": [named]})
        bodies.append(answer.body | {"request_id": ""})
        assert (answer.status, answer.code) == (400, "unknown_person")
    assert all(body == bodies[0] for body in bodies)
    assert api.post("/chat/sessions", {"type": "support", "people": [world.admin.pk]}).status == 201
    together = {"type": "support", "people": [world.admin.pk, world.client2.pk]}
    assert api.post("/chat/sessions", together).status == 400


# States -----------------------------------------------------------------------------------------------------------------

# verb → from each state to which, None: refused
TRANSITIONS = {
    #            active     paused    locked    ended       archived
    "pause": ("paused", "paused", None, None, None),
    "resume": ("active", "active", None, None, None),
    "lock": ("locked", "locked", "locked", None, None),
    "unlock": ("active", None, "active", None, None),
    "end": ("ended", "ended", "ended", "ended", None),
    "archive": (None, None, None, "archived", "archived"),
}
WAY_TO = {"active": (), "paused": ("pause",), "locked": ("lock",), "ended": ("end",), "archived": ("end", "archive")}


@pytest.mark.parametrize("verb", TRANSITIONS)
@pytest.mark.parametrize("state", WAY_TO)
def test_the_state_machine(state: str, verb: str, world: World, truth: Truth) -> None:
    set_state(world.session, *WAY_TO[state])
    before = truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session)
    answer = Api(world.admin).post(f"/chat/sessions/{world.session}/{verb}", {"reason": "because"})
    expected = TRANSITIONS[verb][list(WAY_TO).index(state)]
    found = truth.rows("SELECT status, ended_at FROM chat_sessions WHERE id = %s", world.session)[0]
    after = truth.one("SELECT revision FROM chat_session_state WHERE session_id = %s", world.session)
    if expected is None:
        assert (answer.status, answer.code, found["status"]) == (409, "session_state", state)
    else:
        assert (answer.status, answer.body["status"], found["status"]) == (200, expected, expected)
    assert after - before == (1 if found["status"] != state else 0)  # repeated: nothing is written
    assert (found["ended_at"] is not None) is (found["status"] in ("ended", "archived"))


def test_locking_needs_a_reason(world: World) -> None:
    for body in ({}, {"reason": ""}, {"reason": "   "}):
        answer = Api(world.monitor).post(f"/chat/sessions/{world.session}/lock", body)
        assert (answer.status, answer.code) == (400, "reason_needed")
    assert Api(world.monitor).post(f"/chat/sessions/{world.session}/lock", {"reason": "spam"}).status == 200


def test_a_reader_ends_only_sessions_he_reads_in(world: World) -> None:
    """A reader who asks support is the one who asks there, not the reader of it."""
    support = Api(world.reader).post("/chat/sessions", {"type": "support"}).body["id"]
    answer = Api(world.reader).post(f"/chat/sessions/{support}/end", {})
    assert answer.status == 200  # his role in it is reader: the person who reads
    general = make_session(world.client, world.client2)
    assert Api(world.reader).post(f"/chat/sessions/{general}/end", {}).status == 404


async def test_everybody_in_it_hears_of_a_change_and_typing_stops_to_be_taken(world: World) -> None:
    client = await Device(world.client).open()
    api = await in_thread(Api, world.admin)
    await in_thread(api.post, f"/chat/sessions/{world.session}/lock", {"reason": "because"})
    frame = await client.expect("session_updated")
    assert (frame["data"]["status"], frame["revision"]) == ("locked", 3)
    await client.nothing(within=0.15)  # the notice has been taken in
    error = await client.ask("typing_start", "error", session=world.session)
    assert error["code"] == "session_state"


# Members ------------------------------------------------------------------------------------------------------------------


async def test_a_new_member_sees_everything_and_has_read_it(world: World) -> None:
    api, admin = await in_thread(Api, world.client), await in_thread(Api, world.admin)
    for text in ("one", "two"):
        await in_thread(api.send, world.session, text)
    client, newcomer = await Device(world.client).open(), await Device(world.client2).open()
    path = f"/chat/sessions/{world.session}/participants"
    added = await in_thread(admin.post, path, {"user": world.client2.pk})
    assert added.status == 201
    frame = await client.expect("participant_added")
    assert frame["participant"]["user"] == str(world.client2.pk)
    created = await newcomer.expect("session_created")
    assert created["session"] == str(world.session)
    theirs = await in_thread(Api, world.client2)
    seen = (await in_thread(theirs.get, f"/chat/sessions/{world.session}")).body
    assert seen["mine"]["unread"] == 0
    listed = (await in_thread(theirs.get, f"/chat/sessions/{world.session}/messages")).body["results"]
    assert [m["content"] for m in listed] == ["one", "two"]
    await in_thread(api.send, world.session, "three")
    assert (await newcomer.expect("new_message"))["message"]["content"] == "three"
    assert (await in_thread(admin.post, path, {"user": world.client2.pk})).status == 200  # a member already


async def test_a_removed_member_gets_the_id_and_silence(world: World) -> None:
    client, reader = await Device(world.client).open(), await Device(world.reader).open()
    admin = await in_thread(Api, world.admin)
    path = f"/chat/sessions/{world.session}/participants/{world.reader.pk}"
    assert (await in_thread(admin.delete, path)).status == 204
    frame = await reader.expect("participant_removed")
    assert frame == {"type": "participant_removed", "session": str(world.session)}
    told = await client.expect("participant_removed")
    assert (told["user"], told["revision"]) == (str(world.reader.pk), 3)
    await client.say(world.session, "among ourselves")
    client.send("typing_start", session=world.session)
    await reader.nothing()
    assert reader.closed is None  # the socket stays, for his other sessions
    assert (await in_thread(admin.delete, path)).status == 204  # again: the same answer


def test_the_last_member_of_a_session_that_goes_on_stays(world: World, truth: Truth) -> None:
    admin = Api(world.admin)
    path = f"/chat/sessions/{world.session}/participants"
    assert admin.delete(f"{path}/{world.client.pk}").status == 204
    refused = admin.delete(f"{path}/{world.reader.pk}")
    assert (refused.status, refused.code) == (409, "last_member")
    assert admin.delete(f"{path}/{uuid4()}").status == 404
    with pytest.raises(psycopg.errors.CheckViolation, match="no member"):  # not even from a shell
        truth.rows("UPDATE chat_participants SET left_at = now() WHERE session_id = %s", world.session)


def test_the_array_of_participants_follows_the_memberships(world: World, truth: Truth) -> None:
    def array() -> set[object]:
        return set(truth.one("SELECT participants FROM chat_sessions WHERE id = %s", world.session))

    assert array() == {world.client.pk, world.reader.pk}
    admin = Api(world.admin)
    admin.post(f"/chat/sessions/{world.session}/participants", {"user": world.client2.pk})
    admin.delete(f"/chat/sessions/{world.session}/participants/{world.reader.pk}")
    assert array() == {world.client.pk, world.client2.pk}
    with actor.acting_as(actor_of(world.admin, Actor())), transaction.atomic():
        assert list(
            ChatSession.objects.filter(participants__contains=[world.client2.pk], pk=world.session).values_list("pk")
        ) == [(world.session,)]


def test_mute_is_ones_own_and_shown_to_nobody_else(world: World) -> None:
    muted = Api(world.client).put(f"/chat/sessions/{world.session}/mute", {"until": "2030-01-01T00:00:00Z"})
    assert muted.body["muted_until"] == "2030-01-01T00:00:00Z"
    seen = Api(world.reader).get(f"/chat/sessions/{world.session}").body
    assert seen["mine"]["muted_until"] is None
    assert "muted" not in str(seen["participants"])
    assert Api(world.client).put(f"/chat/sessions/{world.session}/mute", {"until": None}).body["muted_until"] is None
    assert Api(world.client).put(f"/chat/sessions/{world.session}/mute", {"until": "tomorrow"}).status == 400


def test_a_title_is_changed_by_administrators(world: World) -> None:
    answer = Api(world.admin).patch(f"/chat/sessions/{world.session}", {"title": " Celtic Cross "})
    assert (answer.status, answer.body["title"]) == (200, "Celtic Cross")
    for body in ({"status": "ended"}, {"participants": []}, {"type": "support"}, {"metadata": {}}, {"booking": None}):
        assert Api(world.admin).patch(f"/chat/sessions/{world.session}", body).status == 400


def test_opening_as_nobody_gives_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM app.open_session('general', '', NULL, '{}')")
        assert cursor.fetchone() == ("forbidden",)


def test_commands_open_and_change_as_the_system(world: World, truth: Truth) -> None:
    session = make_session(world.client, world.admin, kind="support")
    with actor.acting_as(as_system()):
        set_state(session, "pause", "resume", "end", "archive")
    entry = truth.rows("SELECT actor, actor_role, actor_name FROM chat_audit_logs WHERE action = 'session.archived'")[0]
    assert entry == {"actor": None, "actor_role": "system", "actor_name": "test"}
