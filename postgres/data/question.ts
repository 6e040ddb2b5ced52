import type { ColumnChange, SchemaChange } from "../change.ts";
import { narrowingOf, type ValueLimit } from "./limit.ts";
import { lastNames, trackChange, trackColumns, type TrackedColumn } from "./tracker.ts";
import type { Column, ForeignKey, IndexKey } from "../table.ts";

/** A column of a question. */
export interface QuestionColumn {
  /** As it is in the database now. */
  readonly name: string;
  /** As it is called once the plan has run. */
  readonly shown: string;
}

/** What a change needs to know of the rows that are there: it fails if the answer is `violated`. */
export type DataQuestion =
  & { readonly change: SchemaChange; readonly table: { readonly schema: string; readonly name: string } }
  & (
    | { readonly kind: "nulls"; readonly column: QuestionColumn }
    | {
      readonly kind: "duplicates";
      readonly columns: readonly QuestionColumn[];
      readonly nullsNotDistinct: boolean;
    }
    /** Rows that refer to nothing; one NULL among the columns exempts a row (MATCH SIMPLE). */
    | {
      readonly kind: "orphans";
      readonly columns: readonly QuestionColumn[];
      readonly references: ForeignKey["references"];
    }
    /** Values that do not fit the new type. */
    | { readonly kind: "misfits"; readonly column: QuestionColumn; readonly limit: ValueLimit }
    /** More rows than can share the one value that a new column gives them all. */
    | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      readonly value: "none" | "same";
      /** A type of the user, as SQL: a domain may bring a default of its own. */
      readonly ownType?: string;
    }
  );

/** The table as it stands in the database: names from before every rename of the plan. */
export interface QuestionedTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly foreignKeys?: readonly ForeignKey[];
}

/**
 * Lists what must be asked of the rows before a plan may run, in the order of its changes. Only what can be answered without
 * running anything of the user's is asked: no CHECK, no expression of an index, no condition of a partial index.
 *
 * Pure. A change that no question can decide has none: the DDL itself then finds out.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const table = { schema: "public", name: "users", columns: [{ name: "email", type: "text", notNull: false }] };
 * const [question] = questionsFor([{ kind: "SetNotNull", column: "email" }], table);
 * assertEquals(question?.kind, "nulls");
 * ```
 */
export function questionsFor(changes: readonly SchemaChange[], table: QuestionedTable): readonly DataQuestion[] {
  if (changes.some((change) => change.kind === "CreateTable")) return [];
  const columns = trackColumns(table.columns);
  const questions: DataQuestion[] = [];
  const last = lastNames(changes, table.columns);
  for (const change of changes) {
    const context: Context = { change, table, columns, shown: (name) => last.get(name) ?? name, changes };
    questions.push(...questionsOf(context));
    trackChange(change, columns);
  }
  return withoutRepeats(questions);
}

interface Context {
  readonly change: SchemaChange;
  readonly table: QuestionedTable;
  /** By the name that they have when the change runs. */
  readonly columns: ReadonlyMap<string, TrackedColumn>;
  /** The last name of a standing column. */
  readonly shown: (name: string) => string;
  readonly changes: readonly SchemaChange[];
}

function questionsOf(context: Context): readonly DataQuestion[] {
  const { change } = context;
  switch (change.kind) {
    case "SetNotNull":
    case "AddIdentity":
      return nulls(context, [change.column]);
    case "AddPrimaryKey": {
      const { columns } = change.key;
      return [...nulls(context, columns), ...duplicates(context, { columns, nullsNotDistinct: false })];
    }
    case "AttachIndex":
      // Its index is unique already.
      return change.constraint === "primary key" ? nulls(context, change.columns) : [];
    case "AddUnique":
      return duplicates(context, change.unique);
    case "CreateIndex":
    case "RebuildIndex": {
      const { unique, keys, where, nullsNotDistinct } = change.index;
      const columns = keys.flatMap((key) => plainColumn(key));
      if (!unique || where !== undefined || columns.length < keys.length) return [];
      return duplicates(context, { columns, nullsNotDistinct });
    }
    case "AddForeignKey":
      return orphans(context, change.foreignKey);
    case "ValidateConstraint":
      return standingOrphans(context, change.name);
    case "ChangeType":
      return misfits(context, change);
    case "AddColumn":
      return rowsWithoutValue(context, change.column);
    default:
      return [];
  }
}

/** An operator class or a collation of its own may tell other values apart than the column's does. */
function plainColumn(key: IndexKey): readonly string[] {
  return key.column === undefined || key.opclass !== undefined || key.collation !== undefined ? [] : [key.column];
}

function nulls(context: Context, names: readonly string[]): readonly DataQuestion[] {
  return names.flatMap((name) => {
    const tracked = context.columns.get(name);
    if (tracked?.kind !== "standing" || tracked.column.notNull || isRewritten(context, name)) return [];
    return [ask(context, { kind: "nulls", column: questionColumn(context, tracked) })];
  });
}

/** Whether the plan computes the values anew: then NULLs of today say nothing. */
function isRewritten({ changes }: Context, name: string): boolean {
  return changes.some((change) =>
    (change.kind === "ChangeType" && change.column === name && change.using !== undefined) ||
    (change.kind === "SetExpression" && change.column.name === name)
  );
}

function duplicates(
  context: Context,
  key: { readonly columns: readonly string[]; readonly nullsNotDistinct: boolean },
): readonly DataQuestion[] {
  const standing: QuestionColumn[] = [];
  for (const name of key.columns) {
    const tracked = context.columns.get(name);
    if (tracked === undefined || (tracked.kind === "standing" && !tracked.keepsValues)) return [];
    if (tracked.kind === "standing") {
      standing.push(questionColumn(context, tracked));
    } else if (!givesOneValue(tracked.column, key.nullsNotDistinct)) {
      return [];
    }
  }
  if (standing.length === 0) return [ask(context, { kind: "rows", columns: key.columns, value: "same" })];
  return [ask(context, { kind: "duplicates", columns: standing, nullsNotDistinct: key.nullsNotDistinct })];
}

/** Whether every row gets the same value of a new column, one that counts as equal to itself. */
function givesOneValue(column: Column, nullsNotDistinct: boolean): boolean {
  if (column.identity !== undefined || column.generated !== undefined) return false;
  // A domain may have a default that nobody sees here.
  if (column.default === undefined) return nullsNotDistinct && !column.type.includes('"');
  return /^(?:E?'(?:[^'\\]|''|\\.)*'|-?\d+(?:\.\d+)?|true|false)$/s.test(column.default);
}

function orphans(context: Context, { columns, references }: ForeignKey): readonly DataQuestion[] {
  const asked: QuestionColumn[] = [];
  for (const name of columns) {
    const tracked = context.columns.get(name);
    // What a new column holds is known to its default alone.
    if (tracked?.kind !== "standing" || !tracked.keepsValues) return [];
    asked.push(questionColumn(context, tracked));
  }
  const target = targetNow(context, references);
  return target === undefined ? [] : [ask(context, { kind: "orphans", columns: asked, references: target })];
}

/** The key's target by the names of today, which differ if it is the table itself; `undefined` if it is not there yet. */
function targetNow(context: Context, references: ForeignKey["references"]): ForeignKey["references"] | undefined {
  const { table, changes, columns } = context;
  const renamed = changes.find((change) => change.kind === "RenameTable");
  const names = [table.name, ...(renamed === undefined ? [] : [renamed.to])];
  if (references.schema !== table.schema || !names.includes(references.table)) return references;
  const targets = references.columns.map((name) => columns.get(name));
  const standing = targets.flatMap((target) =>
    target?.kind === "standing" && target.keepsValues ? [target.column.name] : []
  );
  return standing.length < targets.length ? undefined : { schema: table.schema, table: table.name, columns: standing };
}

/** A foreign key that is there and was never checked against the rows. */
function standingOrphans(context: Context, name: string): readonly DataQuestion[] {
  const { changes, table } = context;
  const rename = changes.find((change) => change.kind === "RenameConstraint" && change.to === name);
  const before = rename?.kind === "RenameConstraint" ? rename.from : name;
  const key = table.foreignKeys?.find((each) => each.name === before);
  if (key === undefined) return [];
  const columns = key.columns.map((column) => ({ name: column, shown: context.shown(column) }));
  return [ask(context, { kind: "orphans", columns, references: key.references })];
}

function misfits(
  context: Context,
  change: ColumnChange & { readonly kind: "ChangeType" },
): readonly DataQuestion[] {
  const tracked = context.columns.get(change.column);
  if (tracked?.kind !== "standing" || change.using !== undefined) return [];
  const limit = narrowingOf(change.from, change.to);
  return limit === undefined
    ? []
    : [ask(context, { kind: "misfits", column: questionColumn(context, tracked), limit })];
}

function rowsWithoutValue(context: Context, column: Column): readonly DataQuestion[] {
  const { name, type, notNull, identity, generated } = column;
  if (!notNull || column.default !== undefined || identity !== undefined || generated !== undefined) return [];
  const own = type.includes('"') ? { ownType: type } : {};
  return [ask(context, { kind: "rows", columns: [name], value: "none", ...own })];
}

function questionColumn(context: Context, tracked: TrackedColumn): QuestionColumn {
  return { name: tracked.column.name, shown: context.shown(tracked.column.name) };
}

type WithoutFrame<Q> = Q extends DataQuestion ? Omit<Q, "change" | "table"> : never;

function ask({ change, table: { schema, name } }: Context, question: WithoutFrame<DataQuestion>): DataQuestion {
  return { ...question, change, table: { schema, name } } as DataQuestion;
}

/** A new identity sets NOT NULL, too: two changes may need the same answer. */
function withoutRepeats(questions: readonly DataQuestion[]): readonly DataQuestion[] {
  const seen = new Set<string>();
  return questions.filter((question) => {
    const key = JSON.stringify({ ...question, change: undefined });
    return !seen.has(key) && seen.add(key);
  });
}
