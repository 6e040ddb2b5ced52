/**
 * What to do about a failure:
 * - `retry`: it may go by itself, soon;
 * - `condition`: somebody must change something, in the database or in a spec;
 * - `outcomeUnknown`: the connection went while a statement ran, so look at what is there before anything else;
 * - `bug`: nothing that we send should cause it.
 */
export type FailureKind = "retry" | "condition" | "outcomeUnknown" | "bug";

/** The fields of a server's error that decide, and that may be shown: none of them can hold a row's values. */
export interface ServerError {
  readonly sqlstate: string;
  readonly message: string;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly schema?: string | undefined;
}

/** By SQLSTATE, or by its first characters; the longest match decides. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ["08", "retry"],
  ["08P01", "bug"],
  ["0A000", "condition"],
  ["22", "condition"],
  ["23", "condition"],
  ["25006", "retry"],
  ["25P03", "retry"],
  ["28", "condition"],
  // The password may be on its way: whoever retries reads the Secret again.
  ["28P01", "retry"],
  ["2BP01", "condition"],
  ["3D000", "condition"],
  ["3F000", "condition"],
  ["40", "retry"],
  ["42501", "condition"],
  // Somebody else made it between our look and our DDL.
  ["42P07", "retry"],
  ["42710", "retry"],
  ["53", "retry"],
  ["55006", "retry"],
  ["55P03", "retry"],
  ["57014", "retry"],
  ["57P0", "retry"],
  // The server's machine, not what was asked of it.
  ["58", "retry"],
]);

const NAMES: ReadonlyMap<string, string> = new Map([
  ["08P01", "protocol violation"],
  ["0A000", "feature not supported"],
  ["22001", "value too long for the type"],
  ["22003", "numeric value out of range"],
  ["22007", "invalid date or time"],
  ["22008", "date or time out of range"],
  ["22021", "character not in the database's encoding"],
  ["22P02", "invalid text for the type"],
  ["23502", "not-null violation"],
  ["23503", "foreign key violation"],
  ["23505", "unique violation"],
  ["23514", "check violation"],
  ["23P01", "exclusion violation"],
  ["25006", "the server is read-only"],
  ["25P02", "the transaction has failed already"],
  ["25P03", "the transaction was idle for too long"],
  ["28000", "the server refuses this role or address"],
  ["28P01", "wrong password"],
  ["2BP01", "other objects depend on it"],
  ["3D000", "the database does not exist"],
  ["3F000", "the schema does not exist"],
  ["40001", "serialization failure"],
  ["40P01", "deadlock"],
  ["53100", "disk full"],
  ["53200", "out of memory"],
  ["53300", "too many connections"],
  ["55006", "object in use"],
  ["55P03", "the lock was not available in time"],
  ["57014", "canceled, or the statement took too long"],
  ["57P01", "the server is shutting down"],
  ["57P02", "the server crashed"],
  ["57P03", "the server is starting or stopping"],
  ["58000", "the server's machine failed"],
  ["58030", "the server cannot read or write its disk"],
  ["58P01", "a file of the server is missing"],
  ["XX000", "internal error"],
  ["XX001", "data corrupted"],
  ["XX002", "index corrupted"],
]);

/** What to do about an error of the server. */
export function kindOf(error: ServerError): FailureKind {
  // Two sessions that change the same row of a catalog at once.
  if (error.sqlstate === "XX000" && error.message.includes("tuple concurrently updated")) return "retry";
  if (error.sqlstate === "23505" && error.schema === "pg_catalog") return "retry";
  for (let length = error.sqlstate.length; length >= 2; length--) {
    const kind = KINDS.get(error.sqlstate.slice(0, length));
    if (kind !== undefined) return kind;
  }
  return "bug";
}

/** The name of a SQLSTATE in words, `undefined` for one that we do not know. */
export function conditionName(sqlstate: string): string | undefined {
  return NAMES.get(sqlstate);
}
