import { searchPathOf } from "../session/client.ts";
import { quoteLiteral } from "../text/identifier.ts";

/** Behind the statements the path is as before: what the catalog prints must not depend on it. */
export function withSearchPath(statements: readonly string[], schemas: readonly string[]): readonly string[] {
  if (schemas.length === 0) return statements;
  return [setSearchPath(searchPathOf(schemas)), ...statements, setSearchPath(searchPathOf([]))];
}

function setSearchPath(path: string): string {
  return `SELECT set_config('search_path', ${quoteLiteral(path)}, true)`;
}
