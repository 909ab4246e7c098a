"""Accounts: profile, roles, closing, and the command that makes the first administrators."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.errors import EmailTaken, LastSuperAdmin, PasswordWeak
from accounts.identity import actor_of
from accounts.models import User
from accounts.services import user as users
from samia_chat import actor
from samia_chat.actor import Actor
from samia_chat.errors import Forbidden, NotFound
from samia_chat.roles import Role
from tests.cast import PASSWORD, World, as_system
from tests.database import Truth
from tests.rest import Api


def by(person: User, function: Any, **fields: Any) -> Any:
    with actor.acting_as(actor_of(person, Actor())):
        return function(by=person, **fields)


def test_a_profile_is_changed_by_its_owner(world: World) -> None:
    api = Api(world.client)
    changed = api.patch("/me", {"display_name": "  ليلى ", "language": "ar", "timezone": "Asia/Beirut"})
    assert changed.status == 200
    assert (changed.body["display_name"], changed.body["language"], changed.body["timezone"]) == (
        "ليلى",
        "ar",
        "Asia/Beirut",
    )
    assert api.get("/me").body == changed.body


@pytest.mark.parametrize(
    "change",
    [
        {"role": "super_admin"},
        {"is_active": False},
        {"email": "other@example.test"},
        {"password": "x" * 12},
        {"is_staff": True},
        {"id": "00000000-0000-0000-0000-000000000000"},
        {"display_name": ""},
        {"display_name": "   "},
        {"display_name": "x" * 81},
        {"display_name": "a\u202egnp.exe"},
        {"display_name": "a\nb"},
        {"display_name": "a\x00b"},
        {"display_name": ["a"]},
        {"language": "fr"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_what_is_not_the_owners_to_change_or_not_a_name_is_refused(change: dict[str, object], world: World) -> None:
    answer = Api(world.client).patch("/me", change)
    assert (answer.status, answer.code) == (400, "invalid")
    me = Api(world.client).get("/me").body
    assert (me["role"], me["display_name"], me["email"]) == ("client", "Client", "client@example.test")


def test_roles_are_the_super_administrators_to_give(world: World, truth: Truth) -> None:
    for person in (world.client, world.monitor, world.admin):
        with pytest.raises((Forbidden, NotFound)):
            by(person, users.change_role, user_id=world.reader.pk, role=Role.ADMIN)
    by(world.super_admin, users.change_role, user_id=world.reader.pk, role=Role.ADMIN)
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'user.role_changed'")[0]
    assert (entry["actor"], entry["old_values"], entry["new_values"]) == (
        world.super_admin.pk,
        {"role": "reader"},
        {"role": "admin"},
    )


def test_the_last_super_administrator_stays(world: World) -> None:
    with pytest.raises(LastSuperAdmin):
        by(world.super_admin, users.change_role, user_id=world.super_admin.pk, role=Role.ADMIN)
    with pytest.raises(LastSuperAdmin):
        by(world.super_admin, users.deactivate, user_id=world.super_admin.pk)
    by(world.super_admin, users.change_role, user_id=world.admin.pk, role=Role.SUPER_ADMIN)
    by(world.super_admin, users.change_role, user_id=world.super_admin.pk, role=Role.ADMIN)


def test_a_closed_account_is_signed_out_everywhere_and_can_be_opened_again(world: World) -> None:
    api = Api(world.client)
    by(world.admin, users.deactivate, user_id=world.client.pk)
    by(world.admin, users.deactivate, user_id=world.client.pk)  # again: nothing
    assert api.get("/me").status == 401
    by(world.admin, users.activate, user_id=world.client.pk)
    assert api.get("/me").status == 401  # the old sign-in stays over
    assert Api(world.client).get("/me").status == 200


def test_a_super_administrators_account_is_no_administrators_to_change(world: World, truth: Truth) -> None:
    from tests.access.relations import attempt

    with actor.acting_as(as_system()):
        other = users.create_user(email="s2@example.test", display_name="S", password=PASSWORD, role=Role.SUPER_ADMIN)
    is_active = "SELECT is_active FROM accounts_user WHERE id = %s"
    with pytest.raises(Forbidden):
        by(world.admin, users.deactivate, user_id=other.pk)
    with pytest.raises(Forbidden):
        by(world.admin, users.change_role, user_id=other.pk, role=Role.CLIENT)
    close = "UPDATE accounts_user SET is_active = false WHERE id = %s"
    assert attempt(actor_of(world.admin, Actor()), close, other.pk) == "InsufficientPrivilege"  # nor in SQL
    assert truth.one(is_active, other.pk) is True
    by(world.super_admin, users.deactivate, user_id=other.pk)
    with pytest.raises(Forbidden):
        by(world.admin, users.activate, user_id=other.pk)
    assert truth.one(is_active, other.pk) is False
    by(world.admin, users.deactivate, user_id=world.admin.pk)  # his own he may close


def test_accounts_have_one_address_each_whatever_its_case(world: World) -> None:
    with actor.acting_as(as_system()), pytest.raises(EmailTaken):
        users.create_user(email="CLIENT@example.test", display_name="x", password=PASSWORD)
    with actor.acting_as(as_system()), pytest.raises(PasswordWeak):
        users.create_user(email="new@example.test", display_name="x", password="short")


# create_staff --------------------------------------------------------------------------------------------------------


def run(*arguments: str, password: str = "a password for staff", **options: Any) -> str:
    import sys

    out, before = StringIO(), sys.stdin
    sys.stdin = StringIO(f"{password}\n")
    try:
        call_command("create_staff", *arguments, "--password-stdin", stdout=out, **options)
    finally:
        sys.stdin = before
    return out.getvalue()


def test_create_staff_makes_an_administrator_who_can_sign_in(truth: Truth) -> None:
    assert "Made boss@example.test" in run("Boss@example.test", "--role", "super_admin", "--name", "The Boss")
    answer = Api().post("/auth/token", {"email": "boss@example.test", "password": "a password for staff"})
    assert Api(Authorization=f"Bearer {answer.body['access']}").get("/me").body["role"] == "super_admin"
    entry = truth.rows("SELECT * FROM chat_audit_logs WHERE action = 'user.created'")[0]
    assert (entry["actor"], entry["actor_role"], entry["actor_name"]) == (None, "system", "create_staff")
    assert "already" in run("boss@example.test", "--role", "super_admin")


def test_create_staff_promotes_and_can_be_tried_first(world: World, truth: Truth) -> None:
    assert "Would give" in run("reader@example.test", "--role", "monitor", "--dry-run")
    assert truth.one("SELECT role FROM accounts_user WHERE id = %s", world.reader.pk) == "reader"
    assert "is monitor now" in run("reader@example.test", "--role", "monitor")


def test_create_staff_says_what_is_wrong(world: World) -> None:
    for arguments, password, sentence in (
        (("no-address",), "a password for staff", "not an e-mail address"),
        (("new@example.test",), "short", "too short"),
    ):
        with pytest.raises(CommandError, match=sentence):
            run(*arguments, password=password)
