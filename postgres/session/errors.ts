import { unprintableIn } from "../text/fault.ts";
import { conditionName, type FailureKind, kindOf, type ServerError } from "./sqlstate.ts";

const MAXIMUM_MESSAGE_LENGTH = 300;

/** Codes of postgres.js for a connection that went while something may have run. */
const LOST: ReadonlySet<string> = new Set(["CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "EPIPE"]);

/** Why a socket could not be opened, in words. */
const SOCKET_FAULTS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["ENOTFOUND", "no such host"],
  ["EAI_AGAIN", "the host name cannot be resolved now"],
  ["EAI_NONAME", "no such host"],
  ["EHOSTUNREACH", "host unreachable"],
  ["ENETUNREACH", "network unreachable"],
  ["ETIMEDOUT", "timed out"],
  ["CONNECT_TIMEOUT", "timed out"],
  ["CONNECTION_CLOSED", "the server closed the connection"],
  ["ENOENT", "no such socket"],
  ["EACCES", "permission denied"],
]);

/** What a {@linkcode PostgresError} says beside its message. */
export interface PostgresErrorFields {
  readonly kind: FailureKind;
  readonly sqlstate?: string | undefined;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly schema?: string | undefined;
}

/**
 * A failure of PostgreSQL or of the way to it. Its message is made for users: it never holds a password, nor text of the
 * server that could repeat a row's values. `cause`, with the driver's own text, is not set for the same reason.
 */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  readonly kind: FailureKind;
  /** Five characters; absent if the server said nothing. */
  readonly sqlstate: string | undefined;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly schema: string | undefined;

  constructor(message: string, fields: PostgresErrorFields) {
    super(message);
    this.kind = fields.kind;
    this.sqlstate = fields.sqlstate;
    this.constraint = fields.constraint;
    this.table = fields.table;
    this.column = fields.column;
    this.schema = fields.schema;
  }
}

/** The typed error for whatever the driver threw. */
export function fromDriverError(error: unknown): PostgresError {
  if (error instanceof PostgresError) return error;
  const fields = error as Readonly<Record<string, unknown>> | null | undefined;
  const code = stringOf(fields?.code);
  const server = code === undefined ? undefined : serverError(code, fields ?? {});
  if (server !== undefined) return new PostgresError(messageOf(server), { ...server, kind: kindOf(server) });
  if (code !== undefined && LOST.has(code)) return lostConnection();
  if (code !== undefined && SOCKET_FAULTS.has(code)) return connectionError("the server", error);
  const known = code === undefined ? "" : ` (${code})`;
  return new PostgresError(`Cannot talk to PostgreSQL: the driver failed${known}`, { kind: "bug" });
}

/**
 * The error for a connection that never was: nothing ran.
 *
 * @param address `host:port`, shown.
 */
export function connectionError(address: string, error: unknown): PostgresError {
  const fields = error as Readonly<Record<string, unknown>> | null | undefined;
  const code = stringOf(fields?.code) ?? "";
  const server = serverError(code, fields ?? {});
  // The server's text is shown: it names roles and databases, there are no rows yet.
  const reason = server !== undefined
    ? `${line(server.message)} (SQLSTATE ${code})`
    : SOCKET_FAULTS.get(code) ?? line(certificateFault(stringOf(fields?.message) ?? "unknown failure"));
  const kind = server === undefined ? "retry" : kindOf(server);
  return new PostgresError(`Cannot connect to PostgreSQL at ${address}: ${reason}`, {
    kind,
    sqlstate: server?.sqlstate,
  });
}

/** The error for a connection that went while a statement may have run. */
export function lostConnection(): PostgresError {
  return new PostgresError("The connection to PostgreSQL was lost; what it did last is not known", {
    kind: "outcomeUnknown",
  });
}

function serverError(code: string, fields: Readonly<Record<string, unknown>>): ServerError | undefined {
  // Only errors that the server sent have a severity.
  if (!/^[0-9A-Z]{5}$/.test(code) || stringOf(fields.severity) === undefined) return undefined;
  return {
    sqlstate: code,
    message: stringOf(fields.message) ?? "",
    constraint: stringOf(fields.constraint_name),
    table: stringOf(fields.table_name),
    column: stringOf(fields.column_name),
    schema: stringOf(fields.schema_name),
  };
}

function messageOf(error: ServerError): string {
  const name = error.sqlstate.startsWith("42") ? line(error.message) : conditionName(error.sqlstate);
  const where = (["constraint", "table", "column"] as const)
    .flatMap((kind) => error[kind] === undefined ? [] : [`${kind} ${line(error[kind])}`]);
  return [`PostgreSQL refused: ${name ?? "error"} (SQLSTATE ${error.sqlstate})`, ...where].join(", ");
}

function certificateFault(message: string): string {
  return /certificate|self.signed|UnknownIssuer|NotValidForName/i.test(message)
    ? `its TLS certificate is not trusted (${message})`
    : message;
}

/** One line that a terminal shows as it is. */
function line(text: string): string {
  const short = text.slice(0, MAXIMUM_MESSAGE_LENGTH).replace(/\s+/g, " ");
  return unprintableIn(short) === undefined
    ? short
    : [...short].filter((character) => unprintableIn(character) === undefined).join("");
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
