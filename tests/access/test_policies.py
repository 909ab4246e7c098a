"""What the policies stand on: no drift, parity with the ORM, nothing without an actor, nobody left behind."""

from __future__ import annotations

import asyncio
import json
import os
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections, transaction

from accounts.identity import actor_of
from accounts.models import User
from chat.live.batcher import Batcher
from chat.models import Message
from chat.services.message import SEND, columns, new_draft
from samia_chat import actor, checks
from samia_chat.access import MATRICES, OPEN_MODELS, SQL_ACTIONS
from samia_chat.actor import Actor
from tests.access.relations import ROLES, attempt, make_subject
from tests.cast import World
from tests.database import Truth

RUNTIME_ROLES = ("samia_app", "samia_staff", "samia_definer", "samia_owner")


def test_every_model_has_a_matrix_or_a_reason() -> None:
    assert checks.every_model_is_guarded(None) == []
    taken = MATRICES.pop("chat.Message")
    try:
        assert [error.id for error in checks.every_model_is_guarded(None)] == ["samia.E001"]
    finally:
        MATRICES["chat.Message"] = taken


def test_the_database_agrees_with_the_matrices_and_a_change_shows(truth: Truth) -> None:
    """Drift is looked for as the owner, in a process of its own: `manage.py policies --check`."""
    import subprocess
    import sys

    def check() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "policies", "--check"]
        return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))

    assert check().returncode == 0
    truth.rows("ALTER POLICY samia_app_view ON chat_messages USING (true)")
    try:
        found = check()
        assert found.returncode == 1
        assert "chat_messages" in found.stderr
    finally:
        rule = MATRICES["chat.Message"].cells["client", "view"]
        truth.rows(f"ALTER POLICY samia_app_view ON chat_messages USING ({rule.sql})")
    truth.rows("GRANT UPDATE (seq) ON chat_messages TO samia_app")
    try:
        assert check().returncode == 1
    finally:
        truth.rows("REVOKE UPDATE (seq) ON chat_messages FROM samia_app")
    assert check().returncode == 0


@pytest.mark.parametrize("role", ROLES)
def test_the_orm_and_the_policy_give_the_same_rows(role: str, truth: Truth) -> None:
    """Both forms of every rule, view and change: the queryset run as superuser, the policy as the person."""
    subject = make_subject(role, truth)
    compared = 0
    for access in MATRICES.values():
        model = access.model_class
        for action in ("view", "change"):
            by_orm = set()
            if access.rule(subject.person, action):
                sql, parameters = access.scope(subject.person, action).values_list("pk").query.sql_with_params()
                by_orm = {row["pk"] for row in truth.rows(f"SELECT x AS pk FROM ({sql}) AS t (x)", *parameters)}
            by_policy = _seen(subject.who, model._meta.db_table, model._meta.pk.column, lock=action == "change")
            assert by_orm == by_policy, (access.model, action)
            compared += len(by_orm)
    assert compared > 20  # the worlds are not empty


def _seen(who: Actor, table: str, key: str, *, lock: bool) -> set[object]:
    # FOR UPDATE shows the rows that the UPDATE policy lets through, whatever columns are granted.
    query = f"SELECT {key} FROM {table}" + (" FOR UPDATE" if lock else "")
    if attempt(who, query) == "InsufficientPrivilege":
        return set()
    with actor.acting_as(who), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}


def test_without_an_actor_there_is_nothing(world: World, truth: Truth) -> None:
    for access in MATRICES.values():
        assert attempt(Actor(), f"SELECT 1 FROM {access.table}") in (0, "InsufficientPrivilege"), access.table
    assert truth.one("SELECT count(*) FROM chat_sessions") == 2  # there is something to see


def test_staff_rights_need_a_person_of_the_staff(world: World) -> None:
    """Entering samia_staff with a client's id, as a bug of ours could, gives nothing."""

    class Forged(Actor):
        database_role = "samia_staff"

    forged = Forged(user_id=world.client.pk, role="admin")
    for table in ("chat_messages", "chat_sessions", "accounts_user", "chat_audit_logs", "bookings"):
        assert attempt(forged, f"SELECT 1 FROM {table}") == 0, table


def test_a_closed_account_has_no_rights(world: World, truth: Truth) -> None:
    truth.rows("UPDATE accounts_user SET is_active = false WHERE id = %s", world.admin.pk)
    assert attempt(actor_of(world.admin, Actor()), "SELECT 1 FROM chat_sessions") == 0


def test_outside_a_transaction_nobody_acts(world: World) -> None:
    with actor.acting_as(actor_of(world.client, Actor())):
        assert list(User.objects.all()) == []
        with transaction.atomic():
            assert [user.pk for user in User.objects.all()] == [world.client.pk]
        assert list(User.objects.all()) == []


def test_a_pooled_connection_keeps_nobody(world: World) -> None:
    with actor.acting_as(actor_of(world.admin, Actor())), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_user")
        backend, role = cursor.fetchone()
        assert role == "samia_staff"
    seen: set[int] = set()
    while backend not in seen:  # until the pool gives that connection out again
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), current_user, coalesce(current_setting('app.actor', true), '')")
            pid, *identity = cursor.fetchone()
            assert identity == ["samia_app", ""]
            seen.add(pid)


def test_nested_actors_return_to_the_one_before(world: World) -> None:
    def me() -> tuple[str, str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('app.actor')")
            return cursor.fetchone()

    client, admin = actor_of(world.client, Actor()), actor_of(world.admin, Actor())
    with actor.acting_as(client), transaction.atomic():
        assert me() == ("samia_app", str(world.client.pk))
        with actor.acting_as(admin):
            assert me() == ("samia_staff", str(world.admin.pk))
            with transaction.atomic():  # a savepoint: what is set in it outlives its release
                pass
        assert me() == ("samia_app", str(world.client.pk))
        with pytest.raises(ZeroDivisionError), actor.acting_as(admin), transaction.atomic():
            raise ZeroDivisionError
        assert me() == ("samia_app", str(world.client.pk))
        with pytest.raises(Exception, match="division by zero"), transaction.atomic(), actor.acting_as(admin):
            connection.cursor().execute("SELECT 1/0")
        assert me() == ("samia_app", str(world.client.pk))


def test_what_an_actor_brings_stays_a_value(world: World) -> None:
    """He is written into a transaction as text; his browser says who it is, and staff why."""
    texts = (
        "'); SELECT set_config('role', 'samia_staff', true); --",
        "\\'; --",
        "%s \N{CRYSTAL BALL} \x00\n",
        "E'\\''",
    )
    for text in texts:
        who = Actor(user_id=world.client.pk, role="client", user_agent=text, reason=text)
        with actor.acting_as(who), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_setting('app.actor'), current_setting('app.context')")
            role, user, context = cursor.fetchone()
            assert (role, user) == ("samia_app", str(world.client.pk))
            brought = json.loads(context)
            assert (brought["agent"], brought["reason"]) == (text, text)


def test_what_sync_reads_is_read_with_the_actors_rights(world: World, truth: Truth) -> None:
    """Its functions are no definers: they take any ids and check nothing, because policies do."""
    message = new_draft(sender=actor_of(world.client, Actor()), session_id=world.session, content="a secret")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SEND, columns([message]))
    asked = "SELECT app.sync_entries(%s, %s, %s, 500, 1000000, 50)::text"
    arguments = [[world.session, world.session], [0, None], [1, 1]]
    for person, is_answered in (
        (world.client, True),
        (world.client2, False),
        (world.reader, True),
        (world.monitor, True),
    ):
        with actor.acting_as(actor_of(person, Actor())), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(asked, arguments)
            answer = json.loads(cursor.fetchone()[0])
        if is_answered:
            assert [row["content"] for row in answer["messages"]["waiting"]] == ["a secret", "a secret"]
            assert {row["user_id"] for row in answer["participants"]} == {str(world.client.pk), str(world.reader.pk)}
        else:
            assert answer == {"participants": [], "people": [], "messages": {}}
    definers = truth.rows("SELECT proname FROM pg_proc WHERE proname IN ('sync', 'sync_entries') AND prosecdef")
    assert definers == []


def test_the_runtime_roles_are_bound_by_policies(truth: Truth) -> None:
    rows = truth.rows(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) AND (rolsuper OR rolbypassrls OR rolcreaterole)",
        list(RUNTIME_ROLES),
    )
    assert rows == []
    owned = truth.rows("SELECT tablename FROM pg_tables WHERE tableowner IN ('samia_app', 'samia_staff')")
    assert owned == []
    forbidden = (
        "SET ROLE samia_owner",
        "SET ROLE samia_definer",
        "ALTER TABLE chat_messages DISABLE ROW LEVEL SECURITY",
    )
    for statement in (*forbidden, "CREATE TABLE x ()", "SET session_replication_role = replica"):
        assert attempt(Actor(), statement) == "InsufficientPrivilege", statement


def test_definer_functions_are_closed_and_pinned(truth: Truth) -> None:
    """EXECUTE for nobody but those named, a fixed search_path, and an owner who signs in nowhere."""
    functions = truth.rows(
        """
        SELECT p.oid::regprocedure::text AS name, r.rolname AS owner, p.prosecdef AS is_definer, p.proconfig AS settings,
               has_function_privilege('samia_app', p.oid, 'EXECUTE') AS app,
               EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS public
          FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
         WHERE p.pronamespace = 'app'::regnamespace
        """
    )
    assert len(functions) > 25
    for function in functions:
        assert not function["public"], function
        if function["is_definer"]:
            assert function["owner"] == "samia_definer", function
            assert function["settings"] == ["search_path=pg_catalog, app"], function
    only_for_the_system = {f["name"].split("(")[0] for f in functions if f["is_definer"] and not f["app"]}
    assert only_for_the_system >= {
        *("app.session_heads", "app.session_members", "app.presence_note", "app.presence_settle", "app.presence_sweep"),
        *("app.live_logins", "app.audit_append", "app.audit_faults", "app.sweep_versions", "app.sweep_sign_ins"),
        *("app.end_file", "app.record_orphan"),
    }


def test_every_table_is_either_secured_or_open_with_a_reason(truth: Truth) -> None:
    secured = {row["relname"] for row in truth.rows("SELECT relname FROM pg_class WHERE relrowsecurity")}
    assert secured == {access.table for access in MATRICES.values()}
    open_tables = {apps.get_model(label)._meta.db_table for label in OPEN_MODELS}
    everything = {row["tablename"] for row in truth.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert everything - secured - open_tables == {"django_migrations", "audit_chains"}


def test_sql_actions_of_the_matrix_are_all_policies(truth: Truth) -> None:
    groups = {"samia_app": ("client", "reader"), "samia_staff": ("monitor", "admin", "super_admin", "system")}
    for access in MATRICES.values():
        policies = truth.rows("SELECT polname FROM pg_policy WHERE polrelid = %s::regclass", access.table)
        names = {row["polname"] for row in policies}
        for group, roles in groups.items():
            for action in SQL_ACTIONS:
                is_declared = any((role, action) in access.cells for role in roles)
                assert (f"{group}_{action}" in names) is is_declared, (access.table, group, action)


# A batch --------------------------------------------------------------------------------------------------------------


async def test_a_mixed_batch_stores_each_message_as_its_own_sender(world: World, truth: Truth) -> None:
    """Two sessions, four senders, and a stranger in the midst: nobody writes or reads with somebody else's rights."""
    from django.conf import settings

    batcher = Batcher(settings.DATABASE_URL)
    people = [world.client, world.reader2, world.client2, world.reader, world.client2]
    sessions = [world.session, world.other, world.other, world.session, world.session]
    drafts = [
        new_draft(sender=actor_of(person, Actor()), session_id=session, content=person.email)
        for person, session in zip(people, sessions, strict=True)
    ]
    answers = await asyncio.gather(*(batcher.submit(draft) for draft in drafts))
    assert [stored.code for stored, _ in answers] == ["ok", "ok", "ok", "ok", "not_found"]
    rows = truth.rows("SELECT u.email, m.content FROM chat_messages m JOIN accounts_user u ON u.id = m.sender_id")
    assert len(rows) == 4
    assert all(row["email"] == row["content"] for row in rows)
    assert (
        truth.one(
            "SELECT count(*) FROM chat_audit_logs WHERE action = 'message.created' AND actor = %s", world.client2.pk
        )
        == 1
    )
    assert batcher._connection is not None
    cursor = await batcher._connection._connection.execute("SELECT 1 FROM chat_messages")
    assert cursor.rowcount == 0  # nobody acts on the connection between batches
    await batcher.close()


def test_the_send_function_gives_the_transaction_back_to_its_actor(world: World) -> None:
    client, reader = actor_of(world.client, Actor()), actor_of(world.reader, Actor())
    draft = new_draft(sender=client, session_id=world.session, content="hello")
    with actor.acting_as(reader), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SEND, columns([draft]))
        assert cursor.fetchone()[0] == "ok"
        cursor.execute("SELECT current_setting('app.actor'), current_setting('app.session')")
        assert cursor.fetchone() == (str(world.reader.pk), "")


def test_a_sender_is_whom_row_level_security_lets_be(world: World, truth: Truth) -> None:
    """The function takes names and checks nothing itself that policies check: a forged name has that person's rights."""
    stranger = actor_of(world.client2, Actor())
    draft = new_draft(sender=stranger, session_id=world.session, content="let me in")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SEND, columns([draft]))
        assert cursor.fetchone()[0] == "not_found"
    assert truth.one("SELECT count(*) FROM chat_messages") == 0


def test_serving_as_owner_or_superuser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    checks.refuse_unsafe_database()
    for role in ("samia_owner", "postgres"):
        wrapper = connections["default"].copy()
        wrapper.settings_dict = {**wrapper.settings_dict, "USER": role, "OPTIONS": {}}
        monkeypatch.setattr(checks, "connection", wrapper)
        with pytest.raises(ImproperlyConfigured, match=role):
            checks.refuse_unsafe_database()
        wrapper.close()


def test_policies_can_be_printed() -> None:
    from io import StringIO

    printed = StringIO()
    call_command("policies", stdout=printed)
    assert "CREATE POLICY samia_app_view ON chat_messages" in printed.getvalue()


def test_replay_rows_of_others_stay_invisible(world: World) -> None:
    """An id that is taken somewhere the sender cannot see is refused without saying where."""
    mine = uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        other = new_draft(sender=actor_of(world.client2, Actor()), session_id=world.other, content="x", message_id=mine)
        cursor.execute(SEND, columns([other]))
        draft = new_draft(
            sender=actor_of(world.client, Actor()), session_id=world.session, content="x", message_id=mine
        )
        cursor.execute(SEND, columns([draft]))
        assert cursor.fetchone() == ("id_taken", None, None, None, None)
    with actor.acting_as(actor_of(world.client, Actor())), transaction.atomic():
        assert not Message.objects.filter(pk=mine).exists()
