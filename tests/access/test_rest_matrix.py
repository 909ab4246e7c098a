"""The matrix over REST: what each role gets for each session it is in, was in, or never was in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from samia_chat.limits import limiter
from tests.access.relations import RELATIONS, ROLES, Subject, make_subject
from tests.database import Truth
from tests.rest import Api

# status in the order of RELATIONS:          own  other left ended archived
APP_SEES = (200, 404, 404, 200, 200)
APP_READS = (200, 404, 404, 200, 409)
STAFF_SEES = (200, 200, 200, 200, 200)
NOBODY_OF_APP = (403, 404, 404, 403, 403)  # seen but not allowed; invisible looks like missing
ALL_403 = (403, 403, 403, 403, 403)


def rows(client: Any, reader: Any, monitor: Any, admin: Any) -> dict[str, tuple[int, ...]]:
    return {"client": client, "reader": reader, "monitor": monitor, "admin": admin, "super_admin": admin}


Call = tuple[str, str, Any]
# (method, path, body) → role → status per relation. {names} are those of `names_of`.
MATRIX: dict[tuple[str, str, str], dict[str, tuple[int, ...]]] = {
    ("GET", "/chat/sessions/{session}", ""): rows(APP_SEES, APP_SEES, STAFF_SEES, STAFF_SEES),
    ("GET", "/chat/sessions/{session}/participants", ""): rows(APP_SEES, APP_SEES, STAFF_SEES, STAFF_SEES),
    ("GET", "/chat/sessions/{session}/presence", ""): rows(APP_SEES, APP_SEES, STAFF_SEES, STAFF_SEES),
    ("GET", "/chat/sessions/{session}/messages", ""): rows(APP_READS, APP_READS, STAFF_SEES, STAFF_SEES),
    ("GET", "/chat/messages/{session}", ""): rows(APP_READS, APP_READS, STAFF_SEES, STAFF_SEES),
    ("POST", "/chat/sessions/{session}/messages", "text"): rows(
        (201, 404, 404, 409, 409), (201, 404, 404, 409, 409), ALL_403, (201, 403, 403, 409, 409)
    ),
    ("POST", "/chat/messages", "flat"): rows(
        (201, 404, 404, 409, 409), (201, 404, 404, 409, 409), ALL_403, (201, 403, 403, 409, 409)
    ),
    ("PATCH", "/chat/messages/{theirs}", "edit"): rows(
        (403, 404, 404, 403, 404), (403, 404, 404, 403, 404), ALL_403, (200, 200, 200, 409, 409)
    ),
    ("PATCH", "/chat/messages/{mine}", "edit"): rows(
        # his own in an ended session is seen, but that is over
        (200, 404, 404, 409, 404),
        (200, 404, 404, 409, 404),
        (403, 404, 403, 403, 403),
        (200, 404, 200, 409, 409),
    ),
    ("DELETE", "/chat/messages/{theirs}", ""): rows(
        (403, 404, 404, 403, 404), (403, 404, 404, 403, 404), ALL_403, (200, 200, 200, 409, 409)
    ),
    ("DELETE", "/chat/messages/{mine}", ""): rows(
        (200, 404, 404, 409, 404), (200, 404, 404, 409, 404), (403, 404, 403, 403, 403), (200, 404, 200, 409, 409)
    ),
    ("PUT", "/chat/messages/{theirs}/read", "none"): rows(
        (200, 404, 404, 200, 404), (200, 404, 404, 200, 404), (200, 404, 404, 200, 409), (200, 404, 404, 200, 409)
    ),
    ("PUT", "/chat/sessions/{session}/read", "up_to"): rows(
        (200, 404, 404, 200, 409), (200, 404, 404, 200, 409), (200, 404, 404, 200, 409), (200, 404, 404, 200, 409)
    ),
    ("PUT", "/chat/messages/{theirs}/played", "none"): rows(
        # no voice message: 409 for members; staff who look in play nothing
        (409, 404, 404, 409, 404),
        (409, 404, 404, 409, 404),
        (409, 403, 403, 409, 409),
        (409, 403, 403, 409, 409),
    ),
    ("PUT", "/chat/sessions/{session}/mute", "mute"): rows(
        (200, 404, 404, 200, 200), (200, 404, 404, 200, 200), (200, 404, 404, 200, 200), (200, 404, 404, 200, 200)
    ),
    ("PATCH", "/chat/sessions/{session}", "title"): rows(NOBODY_OF_APP, NOBODY_OF_APP, ALL_403, STAFF_SEES),
    ("POST", "/chat/sessions/{session}/participants", "stranger"): rows(
        # in `other` the stranger is a member already; an ended session takes nobody
        NOBODY_OF_APP,
        NOBODY_OF_APP,
        ALL_403,
        (201, 200, 201, 409, 409),
    ),
    ("DELETE", "/chat/sessions/{session}/participants/{partner}", ""): rows(
        # in `left` the partner is the last one
        NOBODY_OF_APP,
        NOBODY_OF_APP,
        ALL_403,
        (204, 204, 409, 204, 204),
    ),
    ("POST", "/chat/sessions/{session}/pause", "reason"): rows(
        NOBODY_OF_APP, (200, 404, 404, 409, 409), ALL_403, (200, 200, 200, 409, 409)
    ),
    ("POST", "/chat/sessions/{session}/lock", "reason"): rows(
        NOBODY_OF_APP, NOBODY_OF_APP, (200, 200, 200, 409, 409), (200, 200, 200, 409, 409)
    ),
    ("POST", "/chat/sessions/{session}/unlock", "reason"): rows(
        # active already: a verb repeated
        NOBODY_OF_APP,
        NOBODY_OF_APP,
        (200, 200, 200, 409, 409),
        (200, 200, 200, 409, 409),
    ),
    ("POST", "/chat/sessions/{session}/end", "reason"): rows(
        NOBODY_OF_APP, (200, 404, 404, 200, 409), ALL_403, (200, 200, 200, 200, 409)
    ),
    ("POST", "/chat/sessions/{session}/archive", "reason"): rows(
        NOBODY_OF_APP, NOBODY_OF_APP, ALL_403, (409, 409, 409, 200, 200)
    ),
}


def names_of(subject: Subject, relation: str) -> dict[str, object]:
    standing = subject.to[relation]
    return {
        "session": standing.session,
        "theirs": standing.theirs,
        "mine": standing.mine or uuid4(),
        "partner": standing.partner.pk,
    }


def body_of(name: str, subject: Subject, relation: str) -> Any:
    bodies: dict[str, Any] = {
        "text": {"content": "hello"},
        "flat": {"session": subject.to[relation].session, "content": "hello"},
        "edit": {"content": "another text"},
        "up_to": {"up_to": 1, "kind": "read"},
        "mute": {"until": "2030-01-01T00:00:00Z"},
        "title": {"title": "a title"},
        "stranger": {"user": subject.stranger.pk},
        "reason": {"reason": "because"},
        "none": {},
    }
    return bodies.get(name)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("call", MATRIX, ids=lambda call: f"{call[0]} {call[1]}")
def test_each_role_gets_what_the_matrix_gives(call: tuple[str, str, str], role: str, truth: Truth) -> None:
    method, path, body = call
    subject = make_subject(role, truth)
    api = Api(subject.person)
    answers = []
    for relation in RELATIONS:
        answers.append(
            api.request(method, path.format(**names_of(subject, relation)), body_of(body, subject, relation))
        )
        limiter.reset()
    assert tuple(answer.status for answer in answers) == MATRIX[call][role], [answer.body for answer in answers]
    for answer in answers:
        if answer.status >= 400:
            assert answer.code in ("not_found", "forbidden", "session_state", "not_audio", "last_member"), answer.body
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("role", ROLES)
def test_invisible_and_missing_look_the_same(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    api = Api(subject.person)
    for method, path, body in MATRIX:
        if MATRIX[method, path, body][role][1] != 404:
            continue
        invisible = api.request(method, path.format(**names_of(subject, "other")), body_of(body, subject, "other"))
        missing_names = {name: uuid4() for name in ("session", "theirs", "mine", "partner")}
        missing_body = {"session": uuid4(), "content": "hello"} if body == "flat" else body_of(body, subject, "other")
        missing = api.request(method, path.format(**missing_names), missing_body)
        assert invisible.body | {"request_id": ""} == missing.body | {"request_id": ""}, (method, path)
        limiter.reset()


@pytest.mark.parametrize("role", ROLES)
def test_lists_hold_what_one_may_see(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    listed = {row["id"] for row in Api(subject.person).get("/chat/sessions?limit=100").body["results"]}
    expected = RELATIONS if role in ("monitor", "admin", "super_admin") else ("own", "ended", "archived")
    assert listed == {str(subject.to[relation].session) for relation in expected}


@pytest.mark.parametrize("role", ROLES)
def test_the_record_is_for_administrators(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    answer = Api(subject.person).get("/audit")
    assert answer.status == (200 if role in ("admin", "super_admin") else 403)


@pytest.mark.parametrize("role", ROLES)
def test_bookings_are_written_by_administrators(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    body = {
        "client": subject.to["own"].partner.pk,
        "reader": subject.stranger.pk,
        "service": "Three cards",
        "scheduled_at": "2026-12-01T10:00:00Z",
        "status": "confirmed",
    }
    api = Api(subject.person)
    is_admin = role in ("admin", "super_admin")
    sees_others = role in ("monitor", "admin", "super_admin")
    assert api.put(f"/bookings/{subject.own_booking.pk}", body).status == (200 if is_admin else 403)
    assert api.put(f"/bookings/{subject.other_booking.pk}", body).status == (
        200 if is_admin else 403 if sees_others else 404
    )
    assert api.put(f"/bookings/{uuid4()}", body).status == (201 if is_admin else 404)


OPENINGS = {
    # kind, with whom → role → status
    ("booking", "own"): {"client": 201, "reader": 201, "monitor": 201, "admin": 201, "super_admin": 201},
    ("booking", "other"): {"client": 404, "reader": 404, "monitor": 403, "admin": 201, "super_admin": 201},
    ("support", "nobody"): {"client": 201, "reader": 201, "monitor": 201, "admin": 201, "super_admin": 201},
    # whoever is no administrator is told of nobody whether he is there
    ("support", "stranger"): {"client": 400, "reader": 400, "monitor": 400, "admin": 201, "super_admin": 201},
    ("general", "stranger"): {"client": 403, "reader": 403, "monitor": 403, "admin": 201, "super_admin": 201},
    ("emergency", "stranger"): {"client": 403, "reader": 403, "monitor": 403, "admin": 201, "super_admin": 201},
}


@pytest.mark.parametrize("role", ROLES)
def test_sessions_are_opened_by_whom_the_rules_name(role: str, truth: Truth) -> None:
    from tests.cast import make_person

    subject = make_subject(role, truth)
    make_person("helper", "admin")
    api = Api(subject.person)
    for (kind, whom), expected in OPENINGS.items():
        body: dict[str, object] = {"type": kind}
        if kind == "booking":
            body["booking"] = (subject.own_booking if whom == "own" else subject.other_booking).pk
        elif whom == "stranger":
            body["people"] = [subject.stranger.pk]
        answer = api.post("/chat/sessions", body)
        assert answer.status == expected[role], (kind, whom, answer.body)
