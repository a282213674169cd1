-- One service's database and its two roles: X_owner migrates, X_app runs. A psql script, for a
-- superuser; it may be run again at any time, also to set another password. Embedded servers,
-- compose and Testcontainers run this same file, once for each service:
--     SAGALINE_SERVICE=order_service SAGALINE_APP_PASSWORD=... SAGALINE_OWNER_PASSWORD=... \
--         psql -f databases.sql
\set ON_ERROR_STOP on
\getenv service SAGALINE_SERVICE
\getenv app_password SAGALINE_APP_PASSWORD
\getenv owner_password SAGALINE_OWNER_PASSWORD
SELECT :'service' || '_owner' AS owner, :'service' || '_app' AS app \gset

SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY[:'owner', :'app']) AS name
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
ALTER ROLE :"owner" PASSWORD :'owner_password';
ALTER ROLE :"app" PASSWORD :'app_password';
-- A process that was stopped in mid-transaction gives its locks back.
ALTER ROLE :"app" SET idle_in_transaction_session_timeout = '5s';
-- Not idle to the server, and yet stopped: between asking for a plan and using it.
ALTER ROLE :"app" SET transaction_timeout = '30s';

SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'owner')
WHERE :'service' NOT IN (SELECT datname FROM pg_database) \gexec
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"app";

\connect :service
SET ROLE :"owner";
CREATE SCHEMA IF NOT EXISTS sagaline;
GRANT USAGE ON SCHEMA sagaline TO :"app";
-- What migrations make later, in any schema, the running service may use but not alter.
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO :"app";
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO :"app";
