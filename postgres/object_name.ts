const MAXIMUM_BYTES = 63;

/**
 * A name for an index or a constraint that nobody named, made as PostgreSQL makes them: table, columns and label joined by
 * underscores, the longer part shortened to 63 bytes, with a number behind the label where the name is taken.
 *
 * @param columns Joined; empty for a primary key.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const taken = new Set(["users_pkey"]);
 * assertEquals(objectName({ table: "users", columns: [], label: "pkey" }, taken), "users_pkey1");
 * assertEquals(objectName({ table: "users", columns: ["a", "b"], label: "key" }, taken), "users_a_b_key");
 * ```
 */
export function objectName(
  parts: { readonly table: string; readonly columns: readonly string[]; readonly label: string },
  taken: ReadonlySet<string>,
): string {
  for (let number = 0;; number++) {
    const label = number === 0 ? parts.label : `${parts.label}${number}`;
    const name = join(parts.table, parts.columns.join("_"), label);
    if (!taken.has(name)) return name;
  }
}

function join(table: string, columns: string, label: string): string {
  const available = MAXIMUM_BYTES - label.length - 1 - (columns === "" ? 0 : 1);
  let first = bytesOf(table);
  let second = bytesOf(columns);
  while (first + second > available) {
    if (first > second) first--;
    else second--;
  }
  const middle = columns === "" ? "" : `_${clip(columns, second)}`;
  return `${clip(table, first)}${middle}_${label}`;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Cuts behind the last whole character that fits. */
function clip(text: string, bytes: number): string {
  let kept = "";
  let length = 0;
  for (const character of text) {
    length += bytesOf(character);
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}
