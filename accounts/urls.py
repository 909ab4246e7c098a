from __future__ import annotations

from django.db.transaction import non_atomic_requests
from django.urls import path

from accounts.api.auth import LoginViewSet, TokenViewSet
from accounts.api.me import MeViewSet

urlpatterns = [
    # Passwords are hashed between transactions: that takes a while, and connections are few.
    path("auth/token", non_atomic_requests(TokenViewSet.as_view({"post": "create"}))),
    path("auth/refresh", TokenViewSet.as_view({"post": "refresh"})),
    path("auth/logout", LoginViewSet.as_view({"post": "logout"})),
    path("auth/ticket", LoginViewSet.as_view({"post": "ticket"})),
    path("auth/devices", LoginViewSet.as_view({"get": "list"})),
    path("auth/devices/<uuid:login>", LoginViewSet.as_view({"delete": "destroy"})),
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("me/password", non_atomic_requests(MeViewSet.as_view({"post": "password"}))),
]
