from __future__ import annotations

from django.urls import include, path

from monitoring import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("", include("monitoring.docs_pages")),
    path("api/", include("accounts.urls")),
    path("api/", include("audit.urls")),
    path("api/", include("chat.urls")),
    path("", include("accounts.page_urls")),
    path("", include("chat.page_urls")),
]
handler400 = "samia_chat.problems.bad_request"
handler403 = "samia_chat.problems.forbidden"
handler404 = "samia_chat.problems.not_found"
handler500 = "samia_chat.problems.server_error"
