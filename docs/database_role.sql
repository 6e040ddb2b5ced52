-- The role with which the operator works, in the database in which it makes tables. Run by an administrator of that database:
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -v role=tablewright -v password="$PASSWORD" -f docs/database_role.sql
-- What a table's expressions call runs with its rights, so it has none beyond these.
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
-- The registry's schema may be called like the role: without this, what somebody makes by hand with this role lands in it.
ALTER ROLE :"role" SET search_path = public;

-- CREATE lets it make its registry, the schema tablewright. Where that is too much: docs/database_role_prepared.sql.
GRANT CONNECT, CREATE ON DATABASE :"DBNAME" TO :"role";

-- The same for every other schema in which it shall make tables.
GRANT USAGE, CREATE ON SCHEMA public TO :"role";

-- For a foreign key to a table of somebody else, on that table:
--   GRANT REFERENCES, SELECT ON some_schema.some_table TO tablewright;
