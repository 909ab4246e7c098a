"""Who may open which file: every person of the cast and every file that is not his gets the same 404."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from samia_chat.limits import limiter
from tests.cast import World, make_person, make_session, remove, set_state
from tests.database import Truth
from tests.rest import Api
from tests.storage.conftest import Place
from tests.storage.files import delete_message, make_avatar, make_file, open_file, row_of, send_file, sent_file

STAFF = {"monitor", "admin", "super_admin"}
BOTH = {"client", "reader"}
EVERYBODY = {"client", "client2", "reader", "reader2", *STAFF}


def filed(
    owner: User, session: UUID, *, is_sent: bool = True, is_held: bool = False, purpose: str = "attachment"
) -> UUID:
    """A file with what was made of it, and its message."""
    file = make_file(owner, session, purpose=purpose)
    make_file(owner, session, parent=file, rendition="aac", content=b"aac")
    if is_sent:
        send_file(owner, session, file, is_held=is_held)
    return file


def make_files(world: World) -> dict[str, tuple[UUID, set[str]]]:
    """Each kind of file with those who may open it."""
    owner, session = world.reader, world.session
    found = {
        "published": (filed(owner, session), BOTH | STAFF),
        "without a message": (filed(owner, session, is_sent=False), {"reader"} | STAFF),
        "pending voice": (filed(owner, session, is_held=True, purpose="voice"), {"reader"} | STAFF),
        "of another session": (filed(world.reader2, world.other), {"client2", "reader2"} | STAFF),
    }
    deleted = filed(owner, session, is_sent=False)
    delete_message(owner, send_file(owner, session, deleted))
    found["deleted"] = (deleted, STAFF)
    for state, verbs, may in (
        ("paused", ["pause"], BOTH),
        ("locked", ["lock"], BOTH),
        ("ended", ["end"], BOTH),
        ("archived", ["end", "archive"], set()),
    ):
        place = make_session(world.client, world.reader)
        found[state] = (filed(owner, place), may | STAFF)
        set_state(place, *verbs)
    left = make_session(world.client, world.reader)
    found["of somebody who left"] = (filed(owner, left), {"client"} | STAFF)
    remove(owner, left)
    removed = make_session(world.client, world.reader)
    found["of which the other was removed"] = (filed(owner, removed), {"reader"} | STAFF)
    remove(world.client, removed)
    return found


@pytest.mark.parametrize("query", ["", "?rendition=aac"])
def test_everybody_opens_what_is_his_and_nothing_else(query: str, world: World, place: Place) -> None:
    files = make_files(world)
    apis = {name: Api(person) for name, person in world.people.items()}
    assert set(apis) == EVERYBODY
    for kind, (file, may) in files.items():
        for name, api in apis.items():
            answer = open_file(api, file, query)
            assert answer.status == (200 if name in may else 404), (kind, name, answer.body)
            assert (answer.body == b"aac") is bool(query and name in may)
            limiter.reset()
    assert Api().get(f"/chat/files/{files['published'][0]}{query}").status == 401


def test_a_rendition_follows_its_message(world: World, place: Place) -> None:
    file = make_file(world.reader, world.session)
    child = make_file(world.reader, world.session, parent=file, rendition="thumbnail")
    message = send_file(world.reader, world.session, file)
    assert open_file(Api(world.client), file, "?rendition=thumbnail").status == 200
    delete_message(world.reader, message)
    for person, status in ((world.client, 404), (world.reader, 404), (world.monitor, 200)):
        assert open_file(Api(person), file, "?rendition=thumbnail").status == status
        # Never by its own id: then nothing would ask about the file that it is of.
        assert open_file(Api(person), child).status == 404


def test_invisible_and_missing_look_the_same(world: World, place: Place) -> None:
    pending = sent_file(world.reader, world.session, is_held=True)
    foreign = sent_file(world.reader2, world.other)
    api = Api(world.client)
    answers = [
        api.get(f"/chat/files/{file}{query}")
        for file in (pending, foreign, uuid4())
        for query in ("", "?rendition=aac", "?rendition=thumbnail")
    ]
    first = answers[0]
    assert first.status == 404
    for answer in answers:
        assert answer.body | {"request_id": ""} == first.body | {"request_id": ""}
        assert set(answer.headers) == set(first.headers)
        assert {answer.headers[name] for name in ("Content-Type", "Cache-Control")} == {
            first.headers[name] for name in ("Content-Type", "Cache-Control")
        }


def test_access_ends_with_membership(world: World, place: Place) -> None:
    file = sent_file(world.reader, world.session)
    api = Api(world.client)
    assert open_file(api, file).status == 200
    remove(world.client, world.session)
    etag = f'"{bytes(row_of(file).sha256).hex()}"'
    # A cached copy is asked about, too, and no part is given.
    for headers in ({}, {"If-None-Match": etag}, {"Range": "bytes=0-0"}):
        assert api.get(f"/chat/files/{file}", **headers).status == 404


def test_a_closed_account_opens_nothing(world: World, truth: Truth) -> None:
    file = sent_file(world.reader, world.session)
    api = Api(world.client)
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.client.pk)
    assert api.get(f"/chat/files/{file}").status == 401


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd",
        "../../../etc/passwd",
        "%00",
        "{0}%00",
        "{0}/",
        "{0}/../{0}",
        "{0}%2f..%2f{0}",
        "{0}\u2215x",
        "{{{0}}}",
        "{0}%0d%0aX-Evil:1",
        "{0}' OR 1=1--",
    ],
)
def test_an_id_is_a_uuid(name: str, world: World) -> None:
    file = sent_file(world.reader, world.session)
    answer = Api(world.client).get(f"/chat/files/{name.format(file)}")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "X-Evil" not in answer.headers


def test_exports_are_opened_by_other_doors(world: World) -> None:
    """By this one staff see them, nobody else."""
    file = make_file(world.client, None, purpose="export", content_type="text/plain")
    for name, person in world.people.items():
        assert open_file(Api(person), file).status == (200 if name in STAFF else 404)


# Pictures of people -----------------------------------------------------------------------------------------------------


def test_a_picture_is_opened_by_whoever_sees_the_name(world: World, place: Place) -> None:
    pictures = {name: make_avatar(person) for name, person in world.people.items()}
    shares = {"client": BOTH, "reader": BOTH, "client2": {"client2", "reader2"}, "reader2": {"client2", "reader2"}}
    for name, person in world.people.items():
        api = Api(person)
        for whose, file in pictures.items():
            may = name in STAFF | shares.get(whose, set()) | {whose}
            assert open_file(api, file).status == (200 if may else 404), (name, whose)
            limiter.reset()
    assert Api().get(f"/chat/files/{pictures['client']}").status == 401


def test_a_picture_is_seen_as_long_as_a_session_is_shared(world: World, truth: Truth) -> None:
    """In whatever state that is: its people are named as well."""
    file, api = make_avatar(world.client), Api(world.reader)
    for verb in ("pause", "lock", "end", "archive"):
        set_state(world.session, verb)
        assert api.get(f"/chat/files/{file}").status == 200
        shown = api.get(f"/chat/sessions/{world.session}").body["participants"]
        assert {one["avatar"] for one in shown} == {str(file), None}
    remove(world.reader, world.session)
    etag = f'"{bytes(row_of(file).sha256).hex()}"'
    assert api.get(f"/chat/files/{file}", **{"If-None-Match": etag}).status == 404
    make_session(world.client, world.reader)
    assert api.get(f"/chat/files/{file}", **{"If-None-Match": etag}).status == 304


def test_who_stays_sees_the_picture_of_who_left_and_not_the_other_way_round(world: World) -> None:
    left, stays = make_avatar(world.client), make_avatar(world.reader)
    remove(world.client, world.session)
    assert Api(world.reader).get(f"/chat/files/{left}").status == 200
    assert Api(world.client).get(f"/chat/files/{stays}").status == 404


def test_a_picture_that_was_replaced_is_closed_to_others_at_once(world: World) -> None:
    former = make_avatar(world.client)
    make_avatar(world.client)
    assert Api(world.reader).get(f"/chat/files/{former}").status == 404
    assert Api(world.client).get(f"/chat/files/{former}").status == 200  # his own, until it is swept


def test_to_look_at_somebody_is_not_on_record(world: World, truth: Truth) -> None:
    answer = Api(world.monitor).get(f"/chat/files/{make_avatar(world.client)}")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-cache")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'file.opened'") == 0


# States ---------------------------------------------------------------------------------------------------------------


def set_file(truth: Truth, file: UUID, **values: str) -> None:
    for column, value in values.items():
        truth.rows(f"UPDATE chat_files SET {column} = %s WHERE id = %s", value, file)


def test_what_is_not_ready_says_so(world: World, truth: Truth, place: Place) -> None:
    file = sent_file(world.reader, world.session, state="processing")
    answer = Api(world.client).get(f"/chat/files/{file}")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (409, "file_processing", "1")
    set_file(truth, file, state="rejected", reason="file_unreadable")
    answer = Api(world.client).get(f"/chat/files/{file}")
    assert (answer.status, answer.code, answer.body["reason"]) == (409, "file_rejected", "file_unreadable")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'file.opened'") == 0


def test_a_rendition_of_what_is_not_ready_is_not_opened(world: World, truth: Truth) -> None:
    file = sent_file(world.reader, world.session)
    make_file(world.reader, world.session, parent=file, rendition="aac", state="processing")
    answer = Api(world.client).get(f"/chat/files/{file}?rendition=aac")
    assert (answer.status, answer.code) == (409, "file_processing")
    set_file(truth, file, state="rejected")
    answer = Api(world.client).get(f"/chat/files/{file}?rendition=aac")
    assert (answer.status, answer.code) == (409, "file_rejected")


def test_evidence_that_is_over_is_gone(world: World, truth: Truth) -> None:
    file = make_file(world.reader, world.session)
    delete_message(world.reader, send_file(world.reader, world.session, file))
    set_file(truth, file, reason="expired")
    assert Api(world.client).get(f"/chat/files/{file}").status == 404
    answer = Api(world.admin).get(f"/chat/files/{file}")
    assert (answer.status, answer.code) == (410, "file_gone")


def test_a_lost_object_is_no_fault_of_the_caller(world: World) -> None:
    file = sent_file(world.reader, world.session, has_object=False)
    answer = Api(world.client).get(f"/chat/files/{file}")
    assert (answer.status, answer.code, answer.body["reason"]) == (409, "file_rejected", "lost")


# The record -----------------------------------------------------------------------------------------------------------


def test_opening_is_on_record_once_a_quarter_of_an_hour(world: World, truth: Truth, place: Place) -> None:
    file = sent_file(world.reader, world.session)
    for person in (world.client, world.monitor):
        api = Api(person)
        for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=10-"}):
            open_file(api, file, **headers)
        api.head(f"/chat/files/{file}")
    rows = truth.rows(
        "SELECT actor, record_id, session_id, table_name FROM chat_audit_logs WHERE action = 'file.opened'"
    )
    assert {row["actor"] for row in rows} == {world.client.pk, world.monitor.pk}
    assert len(rows) == 2
    assert {(row["record_id"], row["session_id"], row["table_name"]) for row in rows} == {
        (file, world.session, "chat_files")
    }


def test_a_file_that_may_not_be_opened_leaves_no_opening(world: World, truth: Truth) -> None:
    file = sent_file(world.reader, world.session, is_held=True)
    Api(world.client).get(f"/chat/files/{file}")
    assert truth.one("SELECT count(*) FROM chat_audit_logs WHERE action = 'file.opened'") == 0


def test_a_stranger_stays_one(world: World) -> None:
    """The outsider of these tests really is outside."""
    stranger = make_person("stranger")
    file = sent_file(world.reader, world.session)
    assert Api(stranger).get(f"/chat/files/{file}").status == 404
    assert Api(stranger).get(f"/chat/sessions/{world.session}").status == 404
