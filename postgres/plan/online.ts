import type { SchemaChange } from "../change.ts";
import { objectName } from "../object_name.ts";
import type { NotNullHelper, Operation, StepContext } from "./step.ts";
import {
  type Check,
  type Column,
  findColumn,
  type ForeignKey,
  type Index,
  type IndexKey,
  type PrimaryKey,
  type Unique,
} from "../table.ts";
import { quoteIdentifier } from "../text/identifier.ts";

/** Begins the name of every check that we make only to get to NOT NULL. */
export const NOT_NULL_HELPER = "tablewright_nn_";

/**
 * Makes of each change what lets the users of a table with rows go on:
 *
 * - NOT NULL through a check that is added NOT VALID and validated: SET NOT NULL then believes it and reads nothing;
 * - checks and foreign keys NOT VALID, then VALIDATE in a transaction of its own, which takes a weak lock;
 * - indexes CONCURRENTLY, each outside of any transaction;
 * - UNIQUE and PRIMARY KEY from a unique index that was built so. The constraint that they replace goes in the same
 *   transaction in which they come, so that the table is never without.
 */
export function expandOnline(changes: readonly SchemaChange[], context: StepContext): readonly Operation[] {
  const plan = new OnlinePlan(changes, context);
  for (const change of changes) plan.add(change);
  return plan.operations(changes);
}

class OnlinePlan {
  readonly #context: StepContext;
  readonly #first: Operation[] = [];
  readonly #validations: Operation[] = [];
  readonly #builds: Operation[] = [];
  readonly #last: Operation[] = [];
  readonly #alone: Operation[] = [];
  readonly #taken: Set<string>;
  readonly #waiting: Waiting;

  constructor(changes: readonly SchemaChange[], context: StepContext) {
    this.#context = context;
    this.#waiting = waitingFor(changes);
    this.#taken = namesBehind(changes, context, this.#waiting);
  }

  operations(changes: readonly SchemaChange[]): readonly Operation[] {
    const wanted = new Set(changes.flatMap(columnsToBeNotNull));
    const stray = remainingHelpers(changes, this.#context.helpers).filter(({ column }) => !wanted.has(column));
    return [
      ...this.#first,
      ...stray.map((helper) => shared(dropHelper(helper))),
      ...this.#validations,
      ...this.#builds,
      ...this.#last,
      ...this.#alone,
    ];
  }

  add(change: SchemaChange): void {
    switch (change.kind) {
      case "SetNotNull":
        return this.#setNotNull(change.column);
      case "AddCheck":
        return this.#addCheck(change.check);
      case "AddForeignKey":
        return this.#addForeignKey(change.foreignKey);
      case "AddIdentity":
        // Behind SET NOT NULL, which it needs.
        return void this.#last.push(shared(change));
      case "ValidateConstraint":
        return void this.#validations.push(own(change));
      case "AddPrimaryKey":
        return this.#addPrimaryKey(change.key);
      case "AddUnique":
        return this.#addUnique(change.unique);
      case "CreateIndex":
        return this.#build(this.#named(change.index));
      case "RebuildIndex":
        this.#first.push(shared({ kind: "DropIndex", name: change.name }));
        return this.#build(change.index);
      case "AttachIndex":
        if (change.constraint === "primary key") this.#refuseNulls(change.columns);
        return void this.#last.push(shared(change));
      case "DropConstraint":
        return void (this.#waiting.names.has(change.name) ? this.#last : this.#first).push(shared(change));
      case "DropNotNull":
        return void (this.#waiting.forKey ? this.#last : this.#first).push(shared(change));
      case "DropColumn":
        return void (this.#waiting.columns.has(change.column.name) ? this.#last : this.#first).push(shared(change));
      default:
        return void this.#first.push(shared(change));
    }
  }

  #setNotNull(column: string): void {
    const known = this.#context.helpers.find((helper) => helper.column === column);
    const helper = known ?? { column, name: this.#helperName(column), validated: false };
    if (known === undefined) {
      const expression = `${quoteIdentifier(column)} IS NOT NULL`;
      const check = { name: helper.name, expression, validated: true };
      this.#first.push({ change: { kind: "AddCheck", check }, mode: "Online", place: "Shared" });
    }
    if (!helper.validated) this.#validations.push(own({ kind: "ValidateConstraint", name: helper.name }));
    this.#last.push(shared({ kind: "SetNotNull", column }), shared(dropHelper(helper)));
  }

  /** The number never changes, and never makes a name too long. */
  #helperName(column: string): string {
    return `${NOT_NULL_HELPER}${this.#context.columnNumbers.get(column) ?? 0}`;
  }

  #addCheck(check: Check): void {
    const name = check.name ?? this.#freeName([], "check");
    this.#first.push(shared({ kind: "AddCheck", check: { ...check, name } }));
    this.#validations.push(own({ kind: "ValidateConstraint", name }));
  }

  #addForeignKey(foreignKey: ForeignKey): void {
    const name = foreignKey.name ?? this.#freeName(foreignKey.columns, "fkey");
    this.#alone.push(own({ kind: "AddForeignKey", foreignKey: { ...foreignKey, name } }));
    this.#alone.push(own({ kind: "ValidateConstraint", name, references: foreignKey.references }));
  }

  #freeName(columns: readonly string[], label: string): string {
    const name = objectName({ table: this.#context.desired.name, columns, label }, this.#taken);
    this.#taken.add(name);
    return name;
  }

  #addPrimaryKey(key: PrimaryKey): void {
    this.#refuseNulls(key.columns);
    const index = this.#uniqueIndex(key, { label: "pkey", nullsNotDistinct: false });
    this.#build(index);
    this.#last.push(shared({ ...attach(index, key), constraint: "primary key" }));
  }

  #addUnique(unique: Unique): void {
    const index = this.#uniqueIndex(unique, { label: "key", nullsNotDistinct: unique.nullsNotDistinct });
    this.#build(index);
    this.#last.push(shared({ ...attach(index, unique), constraint: "unique constraint" }));
  }

  /** ADD PRIMARY KEY would look for nulls while everybody waits. */
  #refuseNulls(columns: readonly string[]): void {
    for (const column of columns) if (!this.#refusesNull(column)) this.#setNotNull(column);
  }

  #refusesNull(name: string): boolean {
    const { observed } = this.#context;
    const column: Column | undefined = observed === undefined ? undefined : findColumn(observed, name);
    return column?.notNull ?? true;
  }

  #uniqueIndex(
    key: PrimaryKey | Unique,
    options: { readonly label: string; readonly nullsNotDistinct: boolean },
  ): Index {
    const columns = options.label === "pkey" ? [] : key.columns;
    // The wanted name may still be that of the constraint which this one replaces.
    const isFree = key.name !== undefined && !this.#taken.has(key.name);
    const name = isFree ? key.name : this.#freeName(columns, options.label);
    return {
      name,
      unique: true,
      nullsNotDistinct: options.nullsNotDistinct,
      method: "btree",
      keys: key.columns.map((column): IndexKey => ({ column, order: "Ascending", nulls: "Last" })),
      include: [],
      valid: true,
    };
  }

  /** CONCURRENTLY needs a name that is known before: after a crash it tells what was left behind. */
  #named(index: Index): Index {
    if (index.name !== undefined) return index;
    return { ...index, name: this.#freeName(index.keys.map((key) => key.column ?? "expr"), "idx") };
  }

  #build(index: Index): void {
    this.#builds.push({ change: { kind: "CreateIndex", index }, mode: "Online", place: "Concurrent" });
  }
}

/** What goes only when the key comes that takes its place. */
interface Waiting {
  /** Of primary keys and unique constraints. */
  readonly names: ReadonlySet<string>;
  /** They would take their constraint with them. */
  readonly columns: ReadonlySet<string>;
  readonly forKey: boolean;
}

function waitingFor(changes: readonly SchemaChange[]): Waiting {
  const forKey = changes.some(({ kind }) => ["AddPrimaryKey", "AddUnique", "AttachIndex"].includes(kind));
  const needed = new Set(changes.flatMap(nameNeeded));
  const constraints = changes.flatMap((change) =>
    forKey && change.kind === "DropConstraint" && ["primary key", "unique constraint"].includes(change.constraint) &&
      !needed.has(change.name)
      ? [change]
      : []
  );
  const added = new Set(changes.flatMap((change) => change.kind === "AddColumn" ? [change.column.name] : []));
  return {
    names: new Set(constraints.map(({ name }) => name)),
    columns: new Set(constraints.flatMap(({ columns }) => columns).filter((column) => !added.has(column))),
    forKey,
  };
}

/** A name that must be free before a key comes; that of the key itself is taken last. */
function nameNeeded(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case "RenameConstraint":
    case "RenameIndex":
      return [change.to];
    case "CreateIndex":
      return change.index.name === undefined ? [] : [change.index.name];
    case "AddCheck":
      return change.check.name === undefined ? [] : [change.check.name];
    default:
      return [];
  }
}

/**
 * Names that a new part must not have. What goes or is renamed at first is not among them: a plan that is made again behind
 * that step must choose the same names.
 */
function namesBehind(changes: readonly SchemaChange[], context: StepContext, waiting: Waiting): Set<string> {
  const { observed, takenNames } = context;
  const parts = observed === undefined
    ? []
    : [observed.primaryKey, ...observed.uniques, ...observed.checks, ...observed.foreignKeys, ...observed.indexes];
  const names = new Set([...takenNames, ...parts.flatMap((part) => part?.name ?? [])]);
  for (const { name } of observed?.unmanaged ?? []) names.add(name);
  for (const change of changes) {
    if (change.kind === "DropIndex") names.delete(change.name);
    if (change.kind === "DropConstraint" && !waiting.names.has(change.name)) names.delete(change.name);
    if (change.kind === "RenameConstraint" || change.kind === "RenameIndex") names.delete(change.from);
  }
  for (const name of changes.flatMap(nameNeeded)) names.add(name);
  return names;
}

function columnsToBeNotNull(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case "SetNotNull":
      return [change.column];
    case "AddPrimaryKey":
      return change.key.columns;
    case "AttachIndex":
      return change.constraint === "primary key" ? change.columns : [];
    default:
      return [];
  }
}

function attach(index: Index, key: PrimaryKey | Unique): {
  readonly kind: "AttachIndex";
  readonly index: string;
  readonly name: string;
  readonly columns: readonly string[];
} {
  const built = index.name ?? "";
  return { kind: "AttachIndex", index: built, name: key.name ?? built, columns: key.columns };
}

/** Those that no dropped column takes with it. */
export function remainingHelpers(
  changes: readonly SchemaChange[],
  helpers: readonly NotNullHelper[],
): readonly NotNullHelper[] {
  const dropped = new Set(changes.flatMap((change) => change.kind === "DropColumn" ? [change.column.name] : []));
  return helpers.filter(({ column }) => !dropped.has(column));
}

/** Takes away a helper check that has served, or that nobody needs any more. */
export function dropHelper(helper: NotNullHelper): SchemaChange {
  return { kind: "DropConstraint", name: helper.name, constraint: "check", columns: [helper.column] };
}

function shared(change: SchemaChange): Operation {
  return { change, mode: "Online", place: "Shared" };
}

function own(change: SchemaChange): Operation {
  return { change, mode: "Online", place: "Own" };
}
