#!/bin/bash
# Run once by the postgres image, as its superuser, in the database it made: the roles, and their passwords.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --file /samia/roles.sql
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
     --set app="$SAMIA_APP_PASSWORD" --set owner="$SAMIA_OWNER_PASSWORD" <<'SQL'
ALTER ROLE samia_app PASSWORD :'app';
ALTER ROLE samia_owner PASSWORD :'owner';
SQL
