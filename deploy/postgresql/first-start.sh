#!/usr/bin/env bash
# What the container of PostgreSQL does once, on an empty volume: the logins, the database, the settings for 4 GB.
set -euo pipefail
echo "include_if_exists '/etc/djinn/postgresql.conf'" >>"$PGDATA/postgresql.conf"
psql -v ON_ERROR_STOP=1 -v owner_password="$(cat /run/secrets/owner_password)" -v api_password="$(cat /run/secrets/api_password)" \
  -U postgres -d postgres -f /etc/djinn/roles.sql
