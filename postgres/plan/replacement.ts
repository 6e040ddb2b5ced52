import type { SchemaChange } from "../change.ts";
import type { Index, Table } from "../table.ts";

/**
 * What of a plan waits until what takes its place was built: until then rows stay unique, and queries quick.
 */
export interface Replacement {
  /** Names of keys, unique constraints, indexes, and of the table's foreign keys to itself that need one of them. */
  readonly names: ReadonlySet<string>;
  /** Columns that would take something of that with them, if they went at once. */
  readonly columns: ReadonlySet<string>;
  /** Columns of a key that waits cannot lose NOT NULL. */
  readonly waitsForKey: boolean;
  /** New names of parts that can only be renamed when something of that has gone. */
  readonly newNames: ReadonlySet<string>;
  /** Every name that becomes free with all of that: also the old ones of parts that are renamed late. */
  readonly freed: ReadonlySet<string>;
}

/** Kinds of change that take the place of something, or may. */
const BUILDS: ReadonlySet<SchemaChange["kind"]> = new Set<SchemaChange["kind"]>([
  "AddPrimaryKey",
  "AddUnique",
  "AttachIndex",
  "CreateIndex",
  "RebuildIndex",
]);

/** Types without an order of their own: a key over a column that gets one of them must go before. */
const NO_ORDER = /^(json|xml|point|line|lseg|box|path|polygon|circle)\b/;

/** Finds what waits. Pure; a plan made again behind any of its steps finds the same, for what is left of it. */
export function replacementOf(changes: readonly SchemaChange[], observed: Table | undefined): Replacement {
  const dropped = namesOfColumns(changes, "DropColumn");
  const parts = changes.some(({ kind }) => BUILDS.has(kind)) ? waitingParts(changes, observed) : [];
  const names = new Set(parts.map(({ name }) => name));
  if (isEveryKeyIn(names, changes, observed)) { for (const name of keysMadeAgain(changes)) names.add(name); }
  const takesColumns = parts.some(({ columns }) => columns === undefined || columns.some((name) => dropped.has(name)));
  const renames = changes.filter((change) => change.kind === "RenameConstraint" || change.kind === "RenameIndex");
  const late = renames.some(({ to }) => names.has(to)) ? renames : [];
  return {
    names,
    // All of them, for one may be computed from another.
    columns: takesColumns ? dropped : new Set(),
    waitsForKey: changes.some((change) =>
      change.kind === "DropConstraint" && change.constraint === "primary key" && names.has(change.name)
    ),
    newNames: new Set(late.map(({ to }) => to)),
    freed: new Set([...names, ...late.map(({ from }) => from)]),
  };
}

/** Foreign keys that go and come under one name: what they need is replaced. */
export function keysMadeAgain(changes: readonly SchemaChange[]): ReadonlySet<string> {
  const added = new Set(changes.flatMap((change) => change.kind === "AddForeignKey" ? [change.foreignKey.name] : []));
  const going = changes.flatMap((change) =>
    change.kind === "DropConstraint" && change.constraint === "foreign key" && added.has(change.name)
      ? [change.name]
      : []
  );
  return new Set(going);
}

interface Part {
  readonly name: string;
  /** `undefined`: only its expressions know. */
  readonly columns: readonly string[] | undefined;
}

function waitingParts(changes: readonly SchemaChange[], observed: Table | undefined): readonly Part[] {
  const dropped = namesOfColumns(changes, "DropColumn");
  const remade = new Set([
    ...[...namesOfColumns(changes, "AddColumn")].filter((name) => dropped.has(name)),
    // Before PostgreSQL 17 it drops and adds the column.
    ...namesOfColumns(changes, "SetExpression"),
  ]);
  // What is computed from them goes with them or before them, and cannot wait either.
  const lost = remade.size === 0 ? remade : new Set([...remade, ...dropped]);
  const isLost = ({ columns }: Part) =>
    columns === undefined ? lost.size > 0 : columns.some((column) => lost.has(column));
  return [...keysToWait(changes), ...indexesToWait(changes, observed)].filter((part) => !isLost(part));
}

function keysToWait(changes: readonly SchemaChange[]): readonly Part[] {
  const unordered = new Set(
    changes.flatMap((change) => change.kind === "ChangeType" && NO_ORDER.test(change.to) ? [change.column] : []),
  );
  return changes.flatMap((change) =>
    change.kind === "DropConstraint" && ["primary key", "unique constraint"].includes(change.constraint) &&
      !change.columns.some((column) => unordered.has(column))
      ? [change]
      : []
  );
}

/**
 * An index waits for the one that takes its name, or for a key. Any other is told from one that is no longer wanted only while
 * its successor is missing: behind the build a plan would be nothing but its removal, which a policy may refuse.
 *
 * One that was never finished serves nobody; one that another type may not fit goes before the type comes.
 */
function indexesToWait(changes: readonly SchemaChange[], observed: Table | undefined): readonly Part[] {
  const going = new Set(changes.flatMap((change) => change.kind === "DropIndex" ? [change.name] : []));
  const retyped = new Set([...namesOfColumns(changes, "ChangeType"), ...namesOfColumns(changes, "SetCollation")]);
  const successors = new Set(changes.flatMap(indexNameOf));
  const comesOnlyKey = !changes.some(({ kind }) => kind === "CreateIndex" || kind === "RebuildIndex");
  return (observed?.indexes ?? []).flatMap((index) => {
    const { name, valid } = index;
    if (name === undefined || !valid || !going.has(name)) return [];
    if (!successors.has(name) && !comesOnlyKey) return [];
    const columns = columnsOf(index);
    const isRetyped = columns === undefined ? retyped.size > 0 : columns.some((column) => retyped.has(column));
    return isRetyped ? [] : [{ name, columns }];
  });
}

function indexNameOf(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case "CreateIndex":
    case "RebuildIndex":
      return change.index.name === undefined ? [] : [change.index.name];
    case "RenameIndex":
      return [change.to];
    default:
      return [];
  }
}

function columnsOf({ keys, include, where }: Index): readonly string[] | undefined {
  if (where !== undefined) return undefined;
  const columns = keys.map(({ column }) => column);
  return columns.every((column) => column !== undefined) ? [...columns, ...include] : undefined;
}

/** A foreign key can only wait for keys that wait too. */
function isEveryKeyIn(
  names: ReadonlySet<string>,
  changes: readonly SchemaChange[],
  observed: Table | undefined,
): boolean {
  const unique = new Set((observed?.indexes ?? []).flatMap((index) => index.unique ? [index.name] : []));
  return changes.every((change) =>
    names.has("name" in change ? change.name ?? "" : "") ||
    !(change.kind === "DropConstraint" && ["primary key", "unique constraint"].includes(change.constraint) ||
      change.kind === "DropIndex" && unique.has(change.name))
  );
}

function namesOfColumns(
  changes: readonly SchemaChange[],
  kind: "AddColumn" | "DropColumn" | "SetExpression" | "ChangeType" | "SetCollation",
): ReadonlySet<string> {
  return new Set(
    changes.flatMap((change) => {
      if (change.kind !== kind || !("column" in change)) return [];
      return typeof change.column === "string" ? [change.column] : [change.column.name];
    }),
  );
}
