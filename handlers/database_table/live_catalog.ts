import { type FieldError, forbidden, invalid } from "../../crds/field_error.ts";
import type { Database } from "../../postgres/client.ts";
import { type ColumnFault, needsProbe, probeColumns } from "../../postgres/probe.ts";
import { observeSituation, type Situation } from "../../postgres/situation.ts";
import type { Column, Table } from "../../postgres/table.ts";
import { type UnsafeType, unsafeTypes } from "../../postgres/type_guard.ts";
import { unknownTypeFault } from "../../postgres/type_hint.ts";
import type { DesiredTable } from "./desired.ts";

/** Which object asks, and what it wants. */
export interface Question {
  readonly namespace: string;
  readonly name: string;
  /** Empty before the API server has given one. */
  readonly uid: string;
  readonly desired: DesiredTable;
  /** What the object wanted before: its columns have been asked already. */
  readonly previous: Table | undefined;
}

export interface Look {
  readonly situation: Situation;
  readonly columnFaults: readonly FieldError[];
}

/** No user waits longer for a verdict because the catalog is locked. */
const LOCK_TIMEOUT_MS = 100;
const STATEMENT_TIMEOUT_MS = 2_000;
/** The registry's uid columns are uuids; no object has this one. */
const NO_UID = "00000000-0000-0000-0000-000000000000";

/** Answers admission's questions from the database, read-only and within a deadline. */
export class LiveCatalog {
  readonly #database: Database;
  readonly #clusterId: string;

  constructor(database: Database, clusterId: string) {
    this.#database = database;
    this.#clusterId = clusterId;
  }

  /** @throws {PostgresError} if the database cannot be asked in time. */
  async look(question: Question, signal: AbortSignal): Promise<Look> {
    const { desired, namespace, name } = question;
    if (desired.table === undefined) throw new TypeError("Cannot look up a table without a name");
    const limits = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signal };
    const owner = {
      clusterId: this.#clusterId,
      namespace,
      name,
      uid: question.uid === "" ? NO_UID : question.uid,
      generation: 0,
    };
    const claimant = { owner, desired: desired.table };
    const columns = desired.table.columns;
    const [situation, unsafe] = await this.#database.transaction(
      { ...limits, readOnly: true },
      (transaction) => Promise.all([observeSituation(transaction, claimant), unsafeTypes(transaction, columns)]),
    );
    const fresh = desired.table.columns.filter((column) => needsProbe(column) && !isKnown(column, question.previous));
    // A cast is not executed, but nothing is asked about a type that is refused anyway.
    const asked = fresh.filter((column) => !unsafe.some((each) => each.column === column.name));
    const faults = await probeColumns(this.#database, asked, limits);
    return {
      situation,
      columnFaults: [
        ...unsafe.map((each) => typeError(each, desired)),
        ...faults.map((fault) => columnError(fault, desired)),
      ],
    };
  }
}

/** A type that would run somebody's code; the same words in the loop. */
export function typeError({ column, why }: UnsafeType, desired: DesiredTable): FieldError {
  return forbidden(desired.columnPaths.get(column)?.typePath ?? "spec.columns", why);
}

function isKnown(column: Column, previous: Table | undefined): boolean {
  const before = previous?.columns.find((each) => each.name === column.name);
  return before?.type === column.type && before.default === column.default;
}

function columnError(fault: ColumnFault, desired: DesiredTable): FieldError {
  const paths = desired.columnPaths.get(fault.column);
  const column = desired.table?.columns.find((each) => each.name === fault.column);
  const type = column?.type ?? "";
  if (fault.part === "type") {
    return invalid(
      paths?.typePath ?? "spec.columns",
      `${unknownTypeFault(unquoted(type))}; for a type of an extension, or of your own, write schema.name`,
    );
  }
  return invalid(
    `${paths?.path ?? "spec.columns"}.default`,
    `${column?.default ?? ""} is not a value of type ${type} (SQLSTATE ${fault.sqlstate})`,
  );
}

/** A name as the user wrote it, where that is plain. */
function unquoted(type: string): string {
  return /^"[a-z_0-9]+"(\[\])?$/.test(type) ? type.replaceAll('"', "") : type;
}
