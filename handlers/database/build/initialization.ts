import { CREDENTIALS_PATH } from "./paths.ts";

/**
 * Runs once, when PostgreSQL has made its files: the role that applications log in as is no superuser and owns the database.
 * psql reads the password itself, so that it is in no argument.
 */
export const POSTGRES_INITIALIZATION = initializationScript(CREDENTIALS_PATH);

/** The script, with the folder of the passwords. The image runs it or reads it into its own shell: neither may notice. */
export function initializationScript(credentials: string): string {
  return `#!/bin/sh
(
set -eu
if [ "$LOGIN_USERNAME" != "$POSTGRES_USER" ]; then
  psql -X -q -v ON_ERROR_STOP=1 -w -U "$POSTGRES_USER" -d "$POSTGRES_DB" \\
    -v role="$LOGIN_USERNAME" -v database="$POSTGRES_DB" <<'SQL'
\\set password \`cat ${credentials}/password\`
CREATE ROLE :"role" LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD :'password';
ALTER DATABASE :"database" OWNER TO :"role";
SQL
fi
)
`;
}
