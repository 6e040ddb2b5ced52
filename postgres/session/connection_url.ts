import { excerpt, type Parsed, parsed, refused } from "../text/fault.ts";

/** Where a server is and who we are there. */
export interface ConnectionTarget {
  /** Host name or address; a directory (`/run/postgresql`) means its UNIX socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Encrypted, with the certificate and the host name verified; there is no encryption without. */
  readonly tls: boolean;
}

const DEFAULT_PORT = 5432;

/** Parameters that other clients write and that change nothing here. */
const IGNORED: ReadonlySet<string> = new Set(["application_name", "connect_timeout"]);

/** What each `sslmode` of libpq means here; a mode that might silently not verify is made stricter or refused. */
const TLS_MODES: ReadonlyMap<string, boolean> = new Map([
  ["disable", false],
  ["require", true],
  ["verify-ca", true],
  ["verify-full", true],
]);

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`. Without `sslmode` the connection is plain text;
 * `require`, `verify-ca` and `verify-full` all verify certificate and host name. No fault ever repeats the password.
 */
export function parseConnectionUrl(text: string): Parsed<ConnectionTarget> {
  const url = /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return urlFault("it must look like postgres://user:password@host:5432/database");
  const parameters = readParameters(url);
  if (!parameters.ok) return parameters;
  const user = decode(url.username);
  const password = decode(url.password);
  const database = decode(url.pathname.slice(1));
  if (user === undefined || password === undefined || database === undefined) {
    return urlFault("a % must be followed by two hexadecimal digits (write %25 for a percent sign)");
  }
  if (user === "") return urlFault("it must name a user");
  if (`${user}${password}${database}`.includes("\0")) return urlFault("it must not hold a NUL");
  const host = parameters.value.socketDirectory ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "" || host.includes(",")) return urlFault("it must name one host");
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return parsed({ host, port, database: database || user, user, password, tls: parameters.value.tls });
}

/** `host:port`, or the directory of the UNIX socket. */
export function addressOf(target: ConnectionTarget): string {
  if (target.host.startsWith("/")) return target.host;
  return target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}

interface Parameters {
  readonly tls: boolean;
  readonly socketDirectory: string | undefined;
}

function readParameters(url: URL): Parsed<Parameters> {
  for (const name of url.searchParams.keys()) {
    if (name !== "sslmode" && name !== "host" && !IGNORED.has(name)) {
      return urlFault(`the parameter ${excerpt(name)} is not supported`);
    }
  }
  const mode = url.searchParams.get("sslmode") ?? "disable";
  const tls = TLS_MODES.get(mode);
  if (tls === undefined) {
    return urlFault(`sslmode must be disable, require or verify-full: current value is ${excerpt(mode)}`);
  }
  const socketDirectory = url.searchParams.get("host") ?? undefined;
  if (socketDirectory !== undefined && !socketDirectory.startsWith("/")) {
    return urlFault("the parameter 'host' must be the directory of a UNIX socket");
  }
  return parsed({ tls, socketDirectory });
}

function urlFault(reason: string): { readonly ok: false; readonly fault: string } {
  return refused(`Cannot use the database URL: ${reason}`);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
