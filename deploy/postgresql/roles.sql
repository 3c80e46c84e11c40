-- The database and its logins, once, by a superuser: psql -v owner_password=... -v api_password=... -f roles.sql
-- What requests run as, and what keeps the books; nobody signs in as these.
create role djinn_app nologin noinherit;
create role djinn_keeper nologin noinherit;
-- Owns the schema: DATABASE_DIRECT_URL, for migrations, jobs and live events.
create role djinn_owner login password :'owner_password';
grant djinn_app, djinn_keeper to djinn_owner with admin option;
-- Owns nothing and inherits nothing: DATABASE_URL, for the service itself.
create role djinn_api login noinherit password :'api_password';
grant djinn_app to djinn_api;
create database djinn owner djinn_owner template template0 encoding 'UTF8' locale 'C.UTF-8';
