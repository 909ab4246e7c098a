from __future__ import annotations

from django.urls import path

from chat import pages

urlpatterns = [
    path("", pages.dashboard),
    path("sessions/<uuid:session>", pages.dashboard),
    path("manifest.webmanifest", pages.manifest),
]
