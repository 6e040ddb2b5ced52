-- As docs/database_role.sql, for a role that must not make schemas: an administrator makes the one of the registry. It must belong to
-- the role, which alone may create in it. Run by an administrator of that database:
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -v role=tablewright -v password="$PASSWORD" -f docs/database_role_prepared.sql
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
-- The registry's schema may be called like the role: without this, what somebody makes by hand with this role lands in it.
ALTER ROLE :"role" SET search_path = public;
GRANT CONNECT ON DATABASE :"DBNAME" TO :"role";
GRANT USAGE, CREATE ON SCHEMA public TO :"role";

-- An administrator who is no superuser must be a member to give a schema away.
GRANT :"role" TO CURRENT_USER;
CREATE SCHEMA tablewright AUTHORIZATION :"role";
REVOKE :"role" FROM CURRENT_USER;
