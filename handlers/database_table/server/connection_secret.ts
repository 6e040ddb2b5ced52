import { addressOf, parseConnectionUrl } from "../../../postgres/session/connection_url.ts";

/** Where a server is, who logs in, and whom to trust. */
export interface ServerConnection {
  readonly url: string;
  /** Past a pooler, for statements that run outside of any transaction. */
  readonly directUrl?: string;
  /** PEM. */
  readonly certificateAuthority?: string;
}

/** Texts of a Secret, by key. */
export type SecretTexts = Readonly<Record<string, string>>;

export type ReadConnection =
  | { readonly ok: true; readonly value: ServerConnection }
  /** Names keys, and repeats nothing of what they hold. */
  | { readonly ok: false; readonly fault: string };

const CA_KEY = "ca.crt";
const DIRECT_KEY = "directUri";
const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"];
const PARAMETERS = ["sslmode", "application_name", "connect_timeout"];
const POSTGRES_TYPES = ["postgres", "postgresql"];

/**
 * Reads a Secret with a URI, or with the keys of the Service Binding specification. Pure.
 *
 * @param key Of the URI; absent: `uri` if there is one, else `host`, `port`, `database`, `username`, `password`.
 */
export function readConnectionSecret(texts: SecretTexts, key?: string): ReadConnection {
  const type = textOf(texts, "type");
  if (type !== undefined && !POSTGRES_TYPES.includes(type)) return fault("its key type must be postgresql");
  const uriKey = key ?? (textOf(texts, "uri") === undefined ? undefined : "uri");
  const main = uriKey === undefined ? urlOfBinding(texts) : urlOfKey(texts, uriKey);
  if (!main.ok) return main;
  const url = withSslMode(main, texts);
  if (!url.ok) return url;
  const certificateAuthority = textOf(texts, CA_KEY);
  const rest = certificateAuthority === undefined ? {} : { certificateAuthority };
  if (textOf(texts, DIRECT_KEY) === undefined) return { ok: true, value: { url: url.text, ...rest } };
  const given = urlOfKey(texts, DIRECT_KEY);
  const direct = given.ok ? withSslMode(given, texts) : given;
  return direct.ok ? { ok: true, value: { url: url.text, directUrl: direct.text, ...rest } } : direct;
}

interface Fault {
  readonly ok: false;
  readonly fault: string;
}

interface FoundUrl {
  readonly ok: true;
  readonly url: URL;
  /** For messages. */
  readonly key: string;
}

function urlOfKey(texts: SecretTexts, key: string): FoundUrl | Fault {
  const text = textOf(texts, key);
  if (text === undefined) return fault(`it has no key ${key}`);
  const url = /^postgres(ql)?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null) return fault(`its key ${key} must look like postgres://user:password@host:5432/database`);
  // Not named: what looks like a parameter may be a part of a password that nobody encoded.
  if ([...url.searchParams.keys()].some((name) => !PARAMETERS.includes(name))) {
    return fault(`its key ${key} has a parameter that is not supported: known are ${PARAMETERS.join(", ")}`);
  }
  return { ok: true, url, key };
}

function urlOfBinding(texts: SecretTexts): FoundUrl | Fault {
  const [host, username, password] = ["host", "username", "password"].map((name) => textOf(texts, name));
  if (host === undefined || username === undefined || password === undefined) {
    return fault("it needs the key uri, or host, username and password");
  }
  const port = textOf(texts, "port") ?? "5432";
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) return fault("its key port must be a number up to 65535");
  if (!/^[-A-Za-z0-9._:]{1,253}$/.test(host)) {
    return fault("its key host must be the name or the address of one server");
  }
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const address = host.includes(":") ? `[${host}]` : host;
  const database = encodeURIComponent(textOf(texts, "database") ?? username);
  const url = URL.parse(`postgres://${login}@${address}:${port}/${database}`);
  return url === null
    ? fault("its key host must be the name or the address of one server")
    : { ok: true, url, key: "host" };
}

/** Without any mode a certificate authority says that the server must be verified. */
function withSslMode({ url, key }: FoundUrl, texts: SecretTexts): { readonly ok: true; readonly text: string } | Fault {
  const [inUrl, inKey] = [url.searchParams.get("sslmode") ?? undefined, textOf(texts, "sslmode")];
  if (inUrl !== undefined && inKey !== undefined && inUrl !== inKey) {
    return fault(`its key sslmode says something else than its key ${key}`);
  }
  const authority = textOf(texts, CA_KEY);
  const mode = inUrl ?? inKey ?? (authority === undefined ? "disable" : "verify-full");
  if (!SSL_MODES.includes(mode)) return fault(`its sslmode must be one of ${SSL_MODES.join(", ")}`);
  if (authority !== undefined) {
    if (mode === "disable") return fault(`its key ${CA_KEY} cannot be used with sslmode disable`);
    if (!authority.includes("-----BEGIN CERTIFICATE-----")) {
      return fault(`its key ${CA_KEY} must hold certificates (PEM)`);
    }
  }
  const whole = new URL(url);
  whole.searchParams.set("sslmode", mode);
  return checked(whole.href, key);
}

/** What would log in without a password would log in as whoever the operator's machine is. */
function checked(text: string, key: string): { readonly ok: true; readonly text: string } | Fault {
  const target = parseConnectionUrl(text);
  if (!target.ok) {
    return fault(`its key ${key} is refused: ${target.fault.replace(/^Cannot use the database URL: /, "")}`);
  }
  if (addressOf(target.value).startsWith("/")) return fault(`its key ${key} must name a host, not a UNIX socket`);
  return target.value.password === "" ? fault(`its key ${key} comes without a password`) : { ok: true, text };
}

function textOf(texts: SecretTexts, key: string): string | undefined {
  const text = Object.hasOwn(texts, key) ? texts[key] : undefined;
  return text === "" ? undefined : text;
}

function fault(reason: string): Fault {
  return { ok: false, fault: reason };
}
