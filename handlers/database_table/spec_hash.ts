import type { Table } from "../../postgres/table.ts";

/**
 * SHA-256 of the table that a spec describes, as the spec alone says it: types of extensions still without their schema, so
 * that no database is needed to know whether this was applied before.
 */
export async function specHashOf(table: Table): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(table)));
  return new Uint8Array(digest).toHex();
}
