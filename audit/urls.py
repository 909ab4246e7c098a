from __future__ import annotations

from django.urls import path

from audit.api import AuditViewSet

urlpatterns = [path("audit", AuditViewSet.as_view({"get": "list"}))]
