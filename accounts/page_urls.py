from __future__ import annotations

from django.urls import path

from accounts import pages

urlpatterns = [
    path("sign-in", pages.sign_in),
    path("sign-out", pages.sign_out),
    path("language", pages.language),
]
