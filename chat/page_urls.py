from __future__ import annotations

from django.urls import path

from chat import pages, shell

urlpatterns = [
    path("", pages.dashboard),
    path("sessions/<uuid:session>", pages.dashboard),
    path("approvals", pages.approvals),
    path("live", pages.live),
    path("storage", pages.storage),
    path("manifest.webmanifest", shell.manifest),
    path("settings", pages.settings_page),
    path("offline", shell.offline),
    path("worker.js", shell.service_worker),
]
