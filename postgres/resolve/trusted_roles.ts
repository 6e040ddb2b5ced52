/**
 * Roles whose code may run with the operator's rights, as a query that gives their oids: superusers, the operator's role
 * and those that it is a member of, and the owner of the database. Against the last one there is no defence, says
 * PostgreSQL's manual (5.10.6, usage patterns of schemas).
 */
export const TRUSTED_ROLES = `
  SELECT r.oid FROM pg_roles r
  WHERE r.rolsuper OR r.rolname IN (current_user, 'pg_database_owner')
    OR r.oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
    -- A superuser is a member of every role.
    OR NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND pg_has_role(r.oid, 'USAGE')`;
