import { quoteIdentifier } from "../../../postgres/text/identifier.ts";

const BARE = /^[a-z_][a-z0-9_$]*$/;

/** A name as a spec has it: bare where it folds to itself. Reserved words need no quotes there: we quote every name. */
export function printName(name: string): string {
  return BARE.test(name) ? name : quoteIdentifier(name);
}

/** `"pg_catalog"."C"` without what may be left out. */
export function printQualified(quoted: string): string {
  return quoted.startsWith('"pg_catalog".') ? quoted.slice('"pg_catalog".'.length) : quoted;
}
