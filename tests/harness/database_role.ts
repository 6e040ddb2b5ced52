import { fromFileUrl } from "@std/path";

/** The files of docs/ that make the operator's role. */
export type RoleScript = "database_role.sql" | "database_role_prepared.sql";

export interface RoleOptions {
  readonly role: string;
  readonly password: string;
  /** To which the statements are sent. */
  readonly database: string;
}

/** The statements of a file as psql sends them, with the values in place of its variables. */
export function roleStatements(script: RoleScript, { role, password, database }: RoleOptions): string {
  const file = fromFileUrl(new URL(`../../docs/${script}`, import.meta.url));
  return Deno.readTextFileSync(file)
    .replaceAll(':"role"', `"${role}"`)
    .replaceAll(':"DBNAME"', `"${database}"`)
    .replaceAll(":'password'", `'${password}'`);
}
