import type { SchemaChange } from "../change.ts";
import { remainingHelpers } from "./helper.ts";
import { PartNames, partsOfCheck, partsOfIndex } from "./part_names.ts";
import { keysMadeAgain, type Replacement, replacementOf } from "./replacement.ts";
import { dropHelper, NOT_NULL_HELPER } from "./helper.ts";
import type { Operation, StepContext } from "./operation.ts";
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

/**
 * Makes of each change what lets the users of a table with rows go on:
 *
 * - NOT NULL through a check that is added NOT VALID and validated: SET NOT NULL then believes it and reads nothing;
 * - checks and foreign keys NOT VALID, then VALIDATE in a transaction of its own, which takes a weak lock;
 * - indexes CONCURRENTLY, each outside of any transaction;
 * - UNIQUE and PRIMARY KEY from a unique index that was built so.
 *
 * A key or an index that is replaced goes in the same transaction in which the new one takes its name, so that the table is
 * never without.
 */
export function expandOnline(changes: readonly SchemaChange[], context: StepContext): readonly Operation[] {
  const plan = new OnlinePlan(changes, context);
  for (const change of changes) plan.add(change);
  return plan.operations(changes);
}

class OnlinePlan {
  readonly #context: StepContext;
  readonly #replacement: Replacement;
  readonly #madeAgain: ReadonlySet<string>;
  readonly #names: PartNames;
  readonly #first: Operation[] = [];
  readonly #validations: Operation[] = [];
  readonly #builds: Operation[] = [];
  /** One transaction: what was replaced goes, what is built gets its name, the rest. */
  readonly #drops: Operation[] = [];
  readonly #renames: Operation[] = [];
  readonly #last: Operation[] = [];
  readonly #alone: Operation[] = [];

  constructor(changes: readonly SchemaChange[], context: StepContext) {
    this.#context = context;
    this.#replacement = replacementOf(changes, context.observed);
    this.#madeAgain = keysMadeAgain(changes);
    this.#names = new PartNames(changes, context, this.#replacement.freed);
  }

  operations(changes: readonly SchemaChange[]): readonly Operation[] {
    const wanted = new Set(changes.flatMap(columnsToBeNotNull));
    const stray = remainingHelpers(changes, this.#context.helpers).filter(({ column }) => !wanted.has(column));
    return [
      ...this.#first,
      ...stray.map((helper) => shared(dropHelper(helper))),
      ...this.#validations,
      ...this.#builds,
      ...this.#drops,
      ...this.#renames.toSorted(byNewName),
      ...this.#last,
      ...this.#alone,
    ];
  }

  add(change: SchemaChange): void {
    const { names, newNames, columns, waitsForKey } = this.#replacement;
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
        return void (newNames.has(change.name) ? this.#alone : this.#validations).push(own(change));
      case "AlterDeferrability":
        return void (newNames.has(change.name) ? this.#last : this.#first).push(shared(change));
      case "RenameConstraint":
      case "RenameIndex":
        return void (newNames.has(change.to) ? this.#renames : this.#first).push(shared(change));
      case "AddPrimaryKey":
        return this.#addKey(change.key, { constraint: "primary key", nullsNotDistinct: false });
      case "AddUnique": {
        const { nullsNotDistinct } = change.unique;
        return this.#addKey(change.unique, { constraint: "unique constraint", nullsNotDistinct });
      }
      case "CreateIndex":
        return this.#createIndex(change.index);
      case "RebuildIndex":
        this.#first.push(shared({ kind: "DropIndex", name: change.name }));
        return this.#createIndex(change.index);
      case "AttachIndex":
        return this.#attach(change);
      case "DropConstraint":
      case "DropIndex":
        return void (names.has(change.name) ? this.#drops : this.#first).push(shared(change));
      case "DropNotNull":
        return void (waitsForKey ? this.#last : this.#first).push(shared(change));
      case "DropColumn":
        return void (columns.has(change.column.name) ? this.#last : this.#first).push(shared(change));
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
      this.#first.push(shared({ kind: "AddCheck", check }));
    }
    if (!helper.validated) this.#validations.push(own({ kind: "ValidateConstraint", name: helper.name }));
    this.#last.push(shared({ kind: "SetNotNull", column }), shared(dropHelper(helper)));
  }

  /** The number never changes, and never makes a name too long. */
  #helperName(column: string): string {
    return `${NOT_NULL_HELPER}${this.#context.columnNumbers.get(column) ?? 0}`;
  }

  #addCheck(check: Check): void {
    const name = check.name ?? this.#names.ofPart(partsOfCheck(check, this.#context.shapes));
    const added: SchemaChange = { kind: "AddCheck", check: { ...check, name } };
    const validated = own({ kind: "ValidateConstraint", name });
    // What has the name now may be what must not go yet.
    if (this.#replacement.freed.has(name)) this.#alone.push(own(added), validated);
    else {
      this.#first.push(shared(added));
      this.#validations.push(validated);
    }
  }

  #addForeignKey(foreignKey: ForeignKey): void {
    const name = foreignKey.name ?? this.#names.ofPart({ columns: foreignKey.columns, label: "fkey" });
    const added: SchemaChange = { kind: "AddForeignKey", foreignKey: { ...foreignKey, name } };
    // With the key that it needs: new rows are checked without a gap, and no other table is locked.
    if (this.#madeAgain.has(name)) this.#last.push(shared(added));
    else this.#alone.push(own(added));
    this.#alone.push(own({ kind: "ValidateConstraint", name, references: foreignKey.references }));
  }

  #addKey(
    key: PrimaryKey | Unique,
    { constraint, nullsNotDistinct }: {
      readonly constraint: "primary key" | "unique constraint";
      readonly nullsNotDistinct: boolean;
    },
  ): void {
    if (constraint === "primary key") this.#refuseNulls(key.columns);
    const parts = partsOfKey(constraint, key.columns);
    const name = key.name ?? this.#names.ofKey(parts);
    const index = this.#names.whileBuilt(name, parts);
    this.#build(uniqueIndex(index, key, nullsNotDistinct));
    this.#last.push(shared({ kind: "AttachIndex", index, name, constraint, columns: key.columns }));
  }

  #attach(change: Extract<SchemaChange, { readonly kind: "AttachIndex" }>): void {
    const { constraint, columns, index } = change;
    if (constraint === "primary key") this.#refuseNulls(columns);
    const name = change.name ?? this.#names.ofKey(partsOfKey(constraint, columns), index);
    this.#last.push(shared({ ...change, name }));
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

  /** CONCURRENTLY needs a name that is known before: after a crash it tells what was left behind. */
  #createIndex(index: Index): void {
    const parts = partsOfIndex(index, this.#context.shapes);
    const name = index.name ?? this.#names.ofPart(parts);
    const built = this.#names.whileBuilt(name, parts);
    // One that nobody named keeps the name under which it was built.
    const isRenamed = index.name !== undefined && built !== name;
    this.#build({ ...index, name: isRenamed ? built : name });
    if (isRenamed) this.#renames.push(shared({ kind: "RenameIndex", from: built, to: name }));
  }

  #build(index: Index): void {
    this.#builds.push({ change: { kind: "CreateIndex", index }, mode: "Online", place: "Concurrent" });
  }
}

/** What a key is named after. */
export function partsOfKey(
  constraint: "primary key" | "unique constraint",
  columns: readonly string[],
): { readonly columns: readonly string[]; readonly label: string } {
  return constraint === "primary key" ? { columns: [], label: "pkey" } : { columns, label: "key" };
}

function uniqueIndex(name: string, key: PrimaryKey | Unique, nullsNotDistinct: boolean): Index {
  return {
    name,
    unique: true,
    nullsNotDistinct,
    method: "btree",
    keys: key.columns.map((column): IndexKey => ({ column, order: "Ascending", nulls: "Last" })),
    include: [],
    valid: true,
  };
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

/** A plan that is made again behind a build finds a rename in another place of its list. */
function byNewName({ change: a }: Operation, { change: b }: Operation): number {
  if (a.kind !== "RenameIndex" || b.kind !== "RenameIndex") {
    return Number(a.kind === "RenameIndex") - Number(b.kind === "RenameIndex");
  }
  return a.to < b.to ? -1 : 1;
}

function shared(change: SchemaChange): Operation {
  return { change, mode: "Online", place: "Shared" };
}

function own(change: SchemaChange): Operation {
  return { change, mode: "Online", place: "Own" };
}
