import { openDatabase } from "../session/client.ts";
import { PostgresError } from "../session/errors.ts";
import { quoteIdentifier, quoteLiteral } from "../text/identifier.ts";
import { scramVerifier } from "../text/scram_verifier.ts";

/** A role that changes its own password, and where it logs in. */
export interface PasswordChange {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly current: string;
  readonly next: string;
}

const LIMITS = { readOnly: false, lockTimeoutMs: 3_000, statementTimeoutMs: 5_000 };

/**
 * Gives a role the next password. It logs in with the current one, or, if that was changed already, with the next one; so it may
 * be called again after a crash. The server gets a verifier only: no log of it can hold the password.
 *
 * @throws {PostgresError} if the server cannot be reached or takes neither password.
 */
export async function changeRolePassword(change: PasswordChange, signal: AbortSignal): Promise<void> {
  try {
    await alterRole(change, change.current, signal);
  } catch (error) {
    if (!(error instanceof PostgresError) || error.sqlstate !== "28P01") throw error;
    await alterRole(change, change.next, signal);
  }
}

async function alterRole(change: PasswordChange, password: string, signal: AbortSignal): Promise<void> {
  const database = openDatabase({ url: urlOf(change, password), applicationName: "tablewright", maxConnections: 1 });
  const verifier = await scramVerifier(change.next, crypto.getRandomValues(new Uint8Array(16)));
  try {
    await database.transaction({ ...LIMITS, signal }, async (transaction) => {
      const role = quoteIdentifier(change.username);
      await transaction.query(`ALTER ROLE ${role} PASSWORD ${quoteLiteral(verifier)}`);
    });
  } finally {
    await database.close();
  }
}

function urlOf({ host, port, database, username }: PasswordChange, password: string): string {
  const address = host.includes(":") ? `[${host}]` : host;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return `postgres://${login}@${address}:${port}/${encodeURIComponent(database)}`;
}
