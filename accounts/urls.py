from __future__ import annotations

from django.urls import path

from accounts.api.auth import LoginViewSet, TokenViewSet
from accounts.api.me import MeViewSet

urlpatterns = [
    path("auth/token", TokenViewSet.as_view({"post": "create"})),
    path("auth/refresh", TokenViewSet.as_view({"post": "refresh"})),
    path("auth/logout", LoginViewSet.as_view({"post": "logout"})),
    path("auth/ticket", LoginViewSet.as_view({"post": "ticket"})),
    path("auth/devices", LoginViewSet.as_view({"get": "list"})),
    path("auth/devices/<uuid:login>", LoginViewSet.as_view({"delete": "destroy"})),
    path("me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("me/password", MeViewSet.as_view({"post": "password"})),
]
