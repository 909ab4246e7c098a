from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from samia_chat.access import is_staff
from samia_chat.db.functions import UUIDv7
from samia_chat.roles import Role

# A sign-in that nobody used for this long has ended. The cookie and the refresh token live as long.
LOGIN_IDLE = timedelta(days=30)


class User(AbstractBaseUser):
    """A person. Row-level security shows it to himself and to staff; others see `chat.Person`, without the address."""

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        ARABIC = "ar", _("Arabic")

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    email = models.EmailField(unique=True)  # case-folded; a constraint says so
    display_name = models.CharField(max_length=80)
    role = models.CharField(max_length=12, choices=Role, default=Role.CLIENT)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    timezone = models.CharField(max_length=64, default="UTC")
    # The id of a file: those belong to a layer above, whose migration adds the foreign key. Written by app.set_avatar only.
    avatar = models.UUIDField(null=True, editable=False)
    is_active = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_login = None  # the logins say it

    USERNAME_FIELD = "email"
    objects = BaseUserManager["User"]()

    class Meta:
        db_table = "accounts_user"
        # For the foreign key. Not unique, as it could be: a column with a unique index is one that others may refer to, and its
        # update would wait for every transaction that refers to the person.
        indexes = [models.Index(fields=["avatar"], name="user_avatar", condition=models.Q(avatar__isnull=False))]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=models.functions.Lower("email")), name="user_email_folded"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=~models.Q(display_name=""), name="user_has_name"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def is_staff(self) -> bool:
        """Whether he enters the database as samia_staff and may see staff pages."""
        return is_staff(self)


class Login(models.Model):
    """One sign-in on one device: a browser's session cookie, a family of refresh tokens, or a session at an outside issuer.

    Ending it ends all it gave.
    """

    class Kind(models.TextChoices):
        COOKIE = "cookie"
        TOKEN = "token"  # noqa: S105 (a kind, not a secret)
        EXTERNAL = "external"

    id = models.UUIDField(primary_key=True, db_default=UUIDv7(), editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logins", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    external_key = models.BinaryField(max_length=32, null=True)  # of the outside issuer's session (accounts.external)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(db_default=Now())  # moved at most every five minutes
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_login"
        indexes = [models.Index(fields=["user", "-id"], name="login_user")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "external_key"],
                condition=models.Q(ended_at__isnull=True),
                name="login_external_live",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="external", external_key__isnull=False)
                | (~models.Q(kind="external") & models.Q(external_key__isnull=True)),
                name="login_external_has_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"


class RefreshToken(models.Model):
    """A refresh token as a digest. Used once: the second use is a theft, and ends the login."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    login = models.ForeignKey(Login, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_refresh_token"

    def __str__(self) -> str:
        return f"refresh token of {self.login_id}"


class Ticket(models.Model):
    """Admits one socket, once, within 30 seconds: for clients that cannot send a cookie."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    login = models.ForeignKey(Login, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_ticket"

    def __str__(self) -> str:
        return f"ticket of {self.login_id}"


class SignInFailures(models.Model):
    """Wrong passwords for one address of a person, known or not: only its digest is kept."""

    account = models.BinaryField(primary_key=True, max_length=32)
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_sign_in_failures"

    def __str__(self) -> str:
        return f"{self.count} failures"
