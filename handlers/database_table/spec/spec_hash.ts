import { createHash } from "node:crypto";
import type { Table } from "../../../postgres/table.ts";

/**
 * SHA-256 of the table that a spec describes, as the spec alone says it: types of extensions still without their schema, so
 * that no database is needed to know whether this was applied before.
 */
export function specHashOf(table: Table): string {
  return createHash("sha256").update(JSON.stringify(table)).digest("hex");
}
