-- The two roles of Facturino Connect in a PostgreSQL of your own (15 or newer), for a database administrator.
-- Run it inside the product's database, with two passwords of your choice:
--
--   psql "$ADMIN_DATABASE_URL" -v ON_ERROR_STOP=1 -v owner_password=... -v app_password=... -f deploy/roles.sql
--
-- Then set DATABASE_OWNER_URL to fc_owner (it migrates and makes the schemas of environments; web processes never
-- get it) and DATABASE_URL to fc_app (it reads and writes rows; each migration says which).

BEGIN;

CREATE ROLE fc_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE fc_app LOGIN PASSWORD :'app_password';

CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, CREATE, TEMPORARY ON DATABASE :"DBNAME" TO fc_owner;
GRANT USAGE, CREATE ON SCHEMA public TO fc_owner;
GRANT CONNECT ON DATABASE :"DBNAME" TO fc_app;
GRANT USAGE ON SCHEMA public TO fc_app;

COMMIT;
