"""People: making accounts, roles, closing and opening, one's own profile and password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.access import USERS
from accounts.errors import EmailTaken, LastSuperAdmin, PasswordWeak, PasswordWrong
from accounts.models import User
from accounts.services.sign_in import end_logins
from audit.record import record_aside
from samia_chat.access import Person
from samia_chat.db.pools import give_back
from samia_chat.roles import Role


@transaction.atomic
def create_user(
    *,
    email: str,
    display_name: str,
    password: str,
    role: Role = Role.CLIENT,
    language: str = "en",
    timezone: str = "UTC",
) -> User:
    """Make an account. The actor must be an administrator or the system. Raises EmailTaken, PasswordWeak."""
    _refuse_weak(password)
    try:
        with transaction.atomic():
            return User.objects.create(
                email=email.strip().casefold(),
                display_name=display_name.strip(),
                password=make_password(password),
                role=role,
                language=language,
                timezone=timezone,
            )
    except IntegrityError as error:
        if "email" in str(error):
            raise EmailTaken from None
        raise


@transaction.atomic
def change_role(*, by: Person, user_id: UUID, role: Role) -> User:
    """Give a person another role. His sockets are re-admitted under the new one within a second.

    Raises NotFound, Forbidden, LastSuperAdmin.
    """
    user: User = USERS.get(by, "change_role", pk=user_id)
    if user.role == role:
        return user
    _keep_a_super_admin(user)
    user.role = role
    user.save(update_fields=["role"])
    return user


@transaction.atomic
def deactivate(*, by: Person, user_id: UUID) -> User:
    """Close an account: every sign-in ends, sockets within a second. Raises NotFound, Forbidden, LastSuperAdmin."""
    user: User = USERS.get(by, "deactivate", pk=user_id)
    if user.is_active:
        _keep_a_super_admin(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        end_logins(user_id=user_id)
    return user


@transaction.atomic
def activate(*, by: Person, user_id: UUID) -> User:
    """Open a closed account again. Raises NotFound, Forbidden."""
    user: User = USERS.get(by, "deactivate", pk=user_id)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
    return user


@transaction.atomic
def update_profile(*, user: User, **changes: Any) -> User:
    """Change one's own name, language or time zone."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    return user


def change_password(*, user: User, current: str, new: str, keep: UUID | None) -> None:
    """Set a new password and end every other sign-in (`keep` is this one). A wrong present one is recorded.

    Called outside of a transaction, so that none waits for the hash. Raises PasswordWrong, PasswordWeak.
    """
    give_back()
    if not check_password(current, user.password):
        record_aside("password.refused", table="accounts_user", record_id=user.pk)
        raise PasswordWrong
    _refuse_weak(new)
    user.password = make_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_logins(user_id=user.pk, keep=keep)


def _refuse_weak(password: str) -> None:
    try:
        validate_password(password)
    except ValidationError as error:
        raise PasswordWeak(" ".join(error.messages)) from None


def _keep_a_super_admin(user: User) -> None:
    if user.role != Role.SUPER_ADMIN:
        return
    # Locked, so that two of them cannot step down at the same moment.
    others = User.objects.select_for_update().filter(role=Role.SUPER_ADMIN, is_active=True).exclude(pk=user.pk)
    if not others:
        raise LastSuperAdmin
