import type { SchemaChange } from "../change.ts";
import type { Index, Table } from "../table.ts";
import { namesAny } from "./replaced_columns.ts";
import { classifyTypeChange } from "../type_change.ts";

/** What PostgreSQL cannot carry along when columns change their type. */
export interface Retyped {
  /** Columns that are computed from one of them: it refuses the change while they are there. */
  readonly recomputed: readonly string[];
  /** Checks and indexes with expressions that name one of another kind: it would read their stored text anew. */
  readonly remade: ReadonlySet<string>;
}

const NOTHING_RETYPED: Retyped = { recomputed: [], remade: new Set() };

/**
 * Finds it. `status = 'new'` is stored as `(status = 'new'::text)`: of an enum that is no operator, and of citext another one than
 * the spec means. A type that only grows or shrinks keeps what is stored.
 */
export async function retypedParts(changes: readonly SchemaChange[], observed: Table): Promise<Retyped> {
  const altered = changes.flatMap((change) =>
    change.kind === "ChangeType" || change.kind === "SetCollation" ? [change.column] : []
  );
  if (altered.length === 0) return NOTHING_RETYPED;
  const others = changes.flatMap((change) =>
    change.kind === "ChangeType" && classifyTypeChange(change.from, change.to).kind === "ChangeType"
      ? [change.column]
      : []
  );
  const freed = new Set(changes.flatMap((change) => change.kind === "DropExpression" ? [change.column] : []));
  const computed = observed.columns.filter(({ name, generated }) => generated !== undefined && !freed.has(name));
  const recomputed = await named(computed, altered, ({ generated }) => [generated ?? ""]);
  const checks = await named(observed.checks, others, ({ expression }) => [expression]);
  const indexes = await named(observed.indexes, others, textsOf);
  return {
    recomputed: recomputed.map(({ name }) => name),
    remade: new Set([...checks, ...indexes].flatMap(({ name }) => name ?? [])),
  };
}

async function named<T>(
  parts: readonly T[],
  columns: readonly string[],
  texts: (part: T) => readonly string[],
): Promise<readonly T[]> {
  if (columns.length === 0) return [];
  const isNamed = await Promise.all(
    parts.map(async (part) => (await Promise.all(texts(part).map((text) => namesAny(text, columns)))).includes(true)),
  );
  return parts.filter((_, index) => isNamed[index]);
}

function textsOf({ keys, where }: Index): readonly string[] {
  return [...keys.map(({ expression }) => expression), where].filter((text) => text !== undefined);
}

/** The plan for the rest, behind the columns that go before all of it; it makes those anew that are still wanted. */
export function withRecomputed(
  changes: readonly SchemaChange[],
  observed: Table,
  recomputed: readonly string[],
): readonly SchemaChange[] {
  const drops = observed.columns.filter(({ name }) => recomputed.includes(name))
    .map((column) => ({ kind: "DropColumn", column } as const));
  const first = changes.findIndex(({ kind }) => kind !== "RenameTable" && kind !== "RenameColumn");
  const at = first < 0 ? changes.length : first;
  return [...changes.slice(0, at), ...drops, ...changes.slice(at)];
}
