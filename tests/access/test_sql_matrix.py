"""The matrix as the database keeps it: raw SQL as samia_app and samia_staff, whatever a view may forget.

The tables below are written out and not derived from access.py: they are the contract (design §4), and access.py is held
against them.
"""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection, transaction

from samia_chat import actor
from samia_chat.access import MATRICES
from tests.access.relations import RELATIONS, ROLES, Subject, attempt, make_subject
from tests.database import Truth

ALL = set(RELATIONS)
MEMBER = {"own", "ended", "archived"}  # archived: the fact, not the content
CONTENT = {"own", "ended"}
NONE: set[str] = set()
APP, STAFF, ADMINS = ("client", "reader"), ("monitor", "admin", "super_admin"), ("admin", "super_admin")


def by_role(app: set[str], monitor: set[str], admin: set[str]) -> dict[str, set[str]]:
    return {"client": app, "reader": app, "monitor": monitor, "admin": admin, "super_admin": admin}


# table and condition → role → the sessions in which he sees rows
VIEW = {
    "chat_sessions WHERE id = %(session)s": by_role(MEMBER, ALL, ALL),
    "chat_session_state WHERE session_id = %(session)s": by_role(MEMBER, ALL, ALL),
    "chat_participants WHERE session_id = %(session)s": by_role(MEMBER, ALL, ALL),
    "chat_messages WHERE id = %(theirs)s": by_role(CONTENT, ALL, ALL),
    "chat_message_versions WHERE session_id = %(session)s": by_role(NONE, ALL, ALL),
    "chat_plays WHERE session_id = %(session)s": by_role(CONTENT, ALL, ALL),
    "chat_files WHERE id = %(file)s": by_role(CONTENT, ALL, ALL),
    "chat_files WHERE id = %(held)s": by_role(NONE, ALL, ALL),
    "chat_files WHERE id = %(own_file)s": by_role(CONTENT, ALL, ALL),
    "chat_files WHERE id = %(gone)s": by_role(NONE, ALL, ALL),
    "chat_audit_logs WHERE session_id = %(session)s": by_role(NONE, NONE, ALL),
}

FILE = """
INSERT INTO chat_files (id, session_id, owner_id, purpose, key, original_name, content_type, size_bytes, sha256, state)
VALUES (%(new)s, %(session)s, %(me)s, 'attachment', %(new)s::text, 'a.txt', 'text/plain', 1, sha256(''), 'ready')
"""
MESSAGE = """
INSERT INTO chat_messages (id, session_id, sender_id, seq, revision, type, status, content, request_hash, salt)
VALUES (%(new)s, %(session)s, %(me)s, %(seq)s, %(revision)s, 'text', 'sent', 'x', sha256(''), gen_random_uuid())
"""
# statement → role → the sessions in which it succeeds
WRITE = {
    MESSAGE: by_role({"own"}, NONE, {"own"}),
    MESSAGE.replace("%(me)s", "%(partner)s"): by_role(NONE, NONE, NONE),  # in somebody else's name
    "UPDATE chat_messages SET content = 'x', revision = 900 WHERE id = %(mine)s": by_role(
        {"own"}, NONE, {"own", "left", "ended", "archived"}
    ),
    "UPDATE chat_messages SET content = 'x', revision = 900 WHERE id = %(theirs)s": by_role(NONE, NONE, ALL),
    "UPDATE chat_messages SET deleted_at = now(), revision = 900 WHERE id = %(theirs)s": by_role(NONE, NONE, ALL),
    "DELETE FROM chat_messages WHERE id = %(theirs)s": by_role(NONE, NONE, NONE),
    "DELETE FROM chat_messages WHERE id = %(mine)s": by_role(NONE, NONE, NONE),
    "INSERT INTO chat_sessions (id, type, status) VALUES (%(new)s, 'general', 'active')": by_role(NONE, NONE, NONE),
    "UPDATE chat_sessions SET title = 'x' WHERE id = %(session)s": by_role(NONE, NONE, ALL),
    "UPDATE chat_sessions SET status = 'locked' WHERE id = %(session)s": by_role(NONE, NONE, NONE),
    "DELETE FROM chat_sessions WHERE id = %(session)s": by_role(NONE, NONE, NONE),
    "INSERT INTO chat_participants (session_id, user_id, role_in_session, delivered_seq, seen_seq, read_seq, own_ahead)"
    " VALUES (%(session)s, %(stranger)s, 'reader', 0, 0, 0, 0) ON CONFLICT DO NOTHING RETURNING id": by_role(
        # where the stranger is a member already nothing is inserted
        NONE,
        NONE,
        ALL - {"other"},
    ),
    "UPDATE chat_participants SET read_seq = 0 WHERE session_id = %(session)s AND user_id = %(me)s": by_role(
        MEMBER, MEMBER, MEMBER | {"left"}
    ),
    "UPDATE chat_participants SET read_seq = 0 WHERE session_id = %(session)s AND user_id = %(partner)s": by_role(
        NONE, NONE, ALL
    ),
    "UPDATE chat_participants SET left_at = now() WHERE session_id = %(session)s AND user_id = %(partner)s": by_role(
        NONE, NONE, ALL
    ),
    "DELETE FROM chat_participants WHERE session_id = %(session)s": by_role(NONE, NONE, NONE),
    "UPDATE chat_session_state SET revision = revision WHERE session_id = %(session)s": by_role(MEMBER, MEMBER, ALL),
    "UPDATE chat_session_state SET last_seq = last_seq WHERE session_id = %(session)s": by_role(NONE, NONE, NONE),
    "INSERT INTO chat_plays (message_id, session_id, user_id) VALUES (%(theirs)s, %(session)s, %(me)s)": by_role(
        NONE, NONE, NONE
    ),
    "DELETE FROM chat_message_versions WHERE session_id = %(session)s": by_role(NONE, NONE, NONE),
    FILE: by_role({"own"}, NONE, {"own"}),
    FILE.replace("%(me)s", "%(partner)s"): by_role(NONE, NONE, NONE),
    "UPDATE chat_files SET state = 'deleted' WHERE id = %(file)s": by_role(NONE, NONE, NONE),
    "UPDATE chat_files SET is_published = true WHERE id = %(own_file)s": by_role(NONE, NONE, NONE),
    "DELETE FROM chat_files WHERE id = %(own_file)s": by_role(NONE, NONE, NONE),
    "INSERT INTO chat_voice_reviews (message_id, session_id, reviewer_id, verdict)"
    " VALUES (%(theirs)s, %(session)s, %(me)s, 'approve')": by_role(NONE, NONE, NONE),
    "UPDATE chat_messages SET status = 'approved' WHERE id = %(theirs)s": by_role(NONE, NONE, NONE),
    "DELETE FROM chat_audit_logs WHERE session_id = %(session)s": by_role(NONE, NONE, NONE),
    "UPDATE chat_audit_logs SET action = 'x.y' WHERE session_id = %(session)s": by_role(NONE, NONE, NONE),
}


def values(subject: Subject, relation: str) -> dict[str, object]:
    standing = subject.to[relation]
    return {
        "session": standing.session,
        "mine": standing.mine,
        "theirs": standing.theirs,
        "file": standing.file,
        "held": standing.held,
        "own_file": standing.own_file,
        "gone": standing.gone,
        "seq": standing.next_seq,
        "revision": standing.next_revision,
        "partner": standing.partner.pk,
        "stranger": subject.stranger.pk,
        "me": subject.person.pk,
        "new": uuid4(),
    }


def run(subject: Subject, query: str, relation: str) -> int | str:
    """`attempt`, with the names of `values`."""
    found = values(subject, relation)
    names = [part.split(")s")[0] for part in query.split("%(")[1:]]
    for name in found:
        query = query.replace(f"%({name})s", "%s")
    return attempt(subject.who, query, *(found[name] for name in names))


@pytest.mark.parametrize("role", ROLES)
def test_whoever_reads_gets_the_rows_of_the_matrix_and_no_others(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    wrong = []
    for table, expected in VIEW.items():
        for relation in RELATIONS:
            count = run(subject, f"SELECT 1 FROM {table}", relation)
            refused = count in (0, "InsufficientPrivilege")
            assert refused or isinstance(count, int), (table, count)
            if refused is (relation in expected[role]):
                wrong.append((table, relation, count))
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
def test_whoever_writes_is_held_to_the_matrix(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    wrong = []
    for query, expected in WRITE.items():
        for relation in RELATIONS:
            outcome = run(subject, query, relation)
            refused = outcome in (0, "InsufficientPrivilege")
            assert refused or isinstance(outcome, int), (query, relation, outcome)
            if refused is (relation in expected[role]):
                wrong.append((query, relation, outcome))
    assert not wrong


@pytest.mark.parametrize("role", ROLES)
def test_nobody_can_shut_another_session_out_by_forging_its_name(role: str, truth: Truth) -> None:
    """app.session narrows app.my_sessions(); naming a foreign session gives nothing of it."""
    subject = make_subject(role, truth)
    foreign = subject.to["other"].session
    with actor.acting_as(subject.who), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.session', %s, true)", [str(foreign)])
        cursor.execute("SELECT count(*) FROM app.my_sessions()")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT set_config('app.session', %s, true)", [str(subject.to["own"].session)])
        cursor.execute("SELECT count(*) FROM app.my_sessions()")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("role", ROLES)
def test_bookings_are_seen_by_their_parties_and_written_by_administrators(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    see = "SELECT 1 FROM bookings WHERE id = %s"
    assert attempt(subject.who, see, subject.own_booking.pk) == 1
    assert attempt(subject.who, see, subject.other_booking.pk) == (1 if role in STAFF else 0)
    change = "UPDATE bookings SET status = 'cancelled' WHERE id = %s"
    expected = 1 if role in ADMINS else 0 if role == "monitor" else "InsufficientPrivilege"
    assert attempt(subject.who, change, subject.own_booking.pk) == expected


@pytest.mark.parametrize("role", ROLES)
def test_people_see_their_own_account_and_change_of_it_what_is_theirs(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    mine, theirs = subject.person.pk, subject.stranger.pk
    see = "SELECT 1 FROM accounts_user WHERE id = %s"
    assert attempt(subject.who, see, mine) == 1
    assert attempt(subject.who, see, theirs) == (1 if role in STAFF else 0)
    rename = "UPDATE accounts_user SET display_name = 'x' WHERE id = %s"
    assert attempt(subject.who, rename, mine) == 1
    assert attempt(subject.who, rename, theirs) == (1 if role in ADMINS else 0)
    promote = "UPDATE accounts_user SET role = 'super_admin' WHERE id = %s"
    for whom in (mine, theirs):
        outcome = attempt(subject.who, promote, whom)
        assert outcome == 1 if role == "super_admin" else outcome in (0, "InsufficientPrivilege")
    steal = "UPDATE accounts_user SET password = 'x' WHERE id = %s"
    assert attempt(subject.who, steal, theirs) in ((1,) if role == "super_admin" else (0, "InsufficientPrivilege"))
    close = "UPDATE accounts_user SET is_active = false WHERE id = %s"
    assert (attempt(subject.who, close, theirs) == 1) is (role in ADMINS)


@pytest.mark.parametrize("role", ROLES)
def test_names_of_people_are_seen_by_those_who_share_a_session(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    see = "SELECT 1 FROM chat_people WHERE id = %s"
    partner = subject.to["own"].partner.pk
    assert attempt(subject.who, see, partner) == 1
    assert attempt(subject.who, see, subject.stranger.pk) == (1 if role in STAFF else 0)
    assert attempt(subject.who, "SELECT email FROM chat_people WHERE id = %s", partner) == "UndefinedColumn"


@pytest.mark.parametrize("role", ROLES)
def test_pictures_of_people_are_seen_by_those_who_see_their_names(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    see = "SELECT 1 FROM chat_files WHERE id = %s"
    is_staff = role in STAFF
    seen = {name: attempt(subject.who, see, file) for name, file in subject.pictures.items()}
    assert seen == {"own": 1, "partner's": 1, "stranger's": int(is_staff)}
    # What he had before is nobody's business, though his own until it is swept.
    seen = {name: attempt(subject.who, see, file) for name, file in subject.former_pictures.items()}
    assert seen == {"own": 1, "partner's": int(is_staff), "stranger's": int(is_staff)}


@pytest.mark.parametrize("role", ROLES)
def test_a_picture_is_ones_own_and_so_is_the_right_to_change_it(role: str, truth: Truth) -> None:
    subject = make_subject(role, truth)
    me, partner, former = subject.person.pk, subject.to["own"].partner.pk, subject.former_pictures
    for whose, file in ((me, former["own"]), (partner, former["partner's"]), (partner, None)):
        change = "UPDATE accounts_user SET avatar = %s WHERE id = %s"
        assert attempt(subject.who, change, file, whose) == "InsufficientPrivilege"
    assert attempt(subject.who, "SELECT app.set_avatar(%s)", former["own"]) == 1
    assert attempt(subject.who, "SELECT app.set_avatar(NULL)") == 1
    no_picture = subject.to["own"].own_file
    for file in (former["partner's"], subject.pictures["partner's"], no_picture, uuid4()):
        outcome = attempt(subject.who, "SELECT app.set_avatar(%s)", file)
        assert outcome in ("CheckViolation", "ForeignKeyViolation"), outcome
    for owner, outcome in ((me, 1), (partner, "InsufficientPrivilege")):
        add = FILE.replace("'attachment'", "'avatar'").replace("%(session)s", "NULL").replace("%(me)s", "%(owner)s")
        new = uuid4()
        for name in ("new", "owner"):
            add = add.replace(f"%({name})s", "%s")
        assert attempt(subject.who, add, new, owner, new) == outcome
    # Nor by the back door: what somebody has cannot be removed.
    assert attempt(subject.who, "SELECT app.discard_file(%s)", subject.pictures["own"]) == "ForeignKeyViolation"
    is_refused = "UPDATE chat_files SET is_published = true WHERE id = %s"
    assert attempt(subject.who, is_refused, former["own"]) == "InsufficientPrivilege"


@pytest.mark.parametrize("role", ROLES)
def test_sign_ins_are_ones_own_and_their_secrets_nobodys(role: str, truth: Truth) -> None:
    from tests.cast import make_login

    subject = make_subject(role, truth)
    mine, theirs = make_login(subject.person), make_login(subject.stranger)
    see, end = "SELECT 1 FROM accounts_login WHERE id = %s", "UPDATE accounts_login SET ended_at = now() WHERE id = %s"
    assert (attempt(subject.who, see, mine.pk), attempt(subject.who, end, mine.pk)) == (1, 1)
    assert (attempt(subject.who, see, theirs.pk), attempt(subject.who, end, theirs.pk)) == (0, 0)
    forge = "INSERT INTO accounts_login (user_id, kind, user_agent) VALUES (%s, 'token', '')"
    assert attempt(subject.who, forge, subject.stranger.pk) == "InsufficientPrivilege"
    for table in ("accounts_ticket", "accounts_refresh_token", "accounts_sign_in_failures", "audit_chains", "presence"):
        assert attempt(subject.who, f"SELECT 1 FROM {table}") == "InsufficientPrivilege", table


# What answers for anybody or removes from everybody. Staff enter the role that it is granted to, and are refused.
ONLY_FOR_THE_SYSTEM = {
    "app.require_system()": "SELECT app.require_system()",
    "app.live_logins": "SELECT * FROM app.live_logins(ARRAY[%s::uuid])",
    "app.sweep_sign_ins": "SELECT app.sweep_sign_ins()",
    "app.session_heads": "SELECT * FROM app.session_heads(ARRAY[%s::uuid], '{}')",
    "app.session_members": "SELECT * FROM app.session_members(ARRAY[%s::uuid])",
    "app.sweep_versions": "SELECT app.sweep_versions(30)",
    "app.end_file": "SELECT app.end_file(%s, 'lost')",
    "app.record_orphan": "SELECT app.record_orphan(%s, 'key', 1)",
}


@pytest.mark.parametrize("role", ROLES)
def test_what_only_the_system_may_ask_is_refused_to_everybody(role: str, truth: Truth) -> None:
    from tests.cast import as_system, make_login

    subject = make_subject(role, truth)
    names = {
        "app.live_logins": make_login(subject.stranger).pk,
        "app.session_heads": subject.stranger.pk,
        "app.session_members": subject.to["other"].session,
        "app.end_file": subject.to["other"].file,
        "app.record_orphan": subject.to["other"].file,
    }
    for name, query in ONLY_FOR_THE_SYSTEM.items():
        arguments = [names[name]] if name in names else []
        assert attempt(subject.who, query, *arguments) == "InsufficientPrivilege", name
        if name != "app.require_system()":
            assert attempt(as_system(), query, *arguments) in (1, 2), name  # it would have had an answer


# The columns each database role may UPDATE; every other column of every table is refused.
WRITABLE = {
    "samia_app": {
        "accounts_user": {"display_name", "language", "timezone", "password", "last_seen_at"},
        "accounts_login": {"ended_at"},
        "chat_messages": {"content", "edited_at", "deleted_at", "deleted_by", "revision"},
        "chat_participants": {"delivered_seq", "seen_seq", "read_seq", "own_ahead", "muted_until"},
        "chat_session_state": {"revision"},
    },
    "samia_staff": {
        "accounts_user": {"display_name", "language", "timezone", "password", "last_seen_at", "role", "is_active"},
        "accounts_login": {"ended_at"},
        "bookings": {"*"},
        "chat_messages": {"content", "edited_at", "deleted_at", "deleted_by", "revision"},
        "chat_participants": {
            *("delivered_seq", "seen_seq", "read_seq", "own_ahead", "muted_until"),
            *("role_in_session", "joined_at", "left_at"),
        },
        "chat_session_state": {"revision"},
        "chat_sessions": {"title", "metadata", "updated_at"},
        "chat_files": {"duration_ms", "waveform", "width", "height", "state", "reason"},
    },
}


@pytest.mark.parametrize(("database_role", "role"), [("samia_app", "client"), ("samia_staff", "super_admin")])
def test_every_column_that_a_database_role_may_not_write_is_refused(
    database_role: str, role: str, truth: Truth
) -> None:
    subject = make_subject(role, truth)
    tried = 0
    for access in MATRICES.values():
        table = access.table
        may = WRITABLE[database_role].get(table, set())
        for column in [field.column for field in access.model_class._meta.concrete_fields]:
            outcome = attempt(subject.who, f'UPDATE {table} SET "{column}" = "{column}"')
            is_refused = outcome == "InsufficientPrivilege"
            assert is_refused is not (column in may or "*" in may), (table, column, outcome)
            tried += 1
    assert tried > 100  # the loop looked at something
