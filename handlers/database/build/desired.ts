import type { Login } from "./login.ts";
import { DEFAULT_LOGIN, DEFAULT_RESOURCES } from "../../../crds/database/default.ts";
import type { Database, DatabaseSpec } from "../../../crds/database/types.ts";
import { versionOf } from "../../../crds/database/validate.ts";
import { parseVersion } from "../../../crds/database/version.ts";
import { type Engine, engineOf } from "./engine.ts";

/** Which Database. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A server as it should be: the spec with every default. */
export interface Server {
  readonly identity: Identity;
  readonly spec: DatabaseSpec;
  readonly engine: Engine;
  readonly version: string;
  readonly major: string;
  readonly image: string;
  readonly servicePort: number;
  readonly login: Login;
  readonly resources: Readonly<Record<string, unknown>>;
  /** Whether the whole of our schema is served; otherwise fields of the spec may be pruned. */
  readonly isOurSchema: boolean;
}

/** Which Database an object is. */
export function identityOf({ apiVersion, kind, metadata }: Database): Identity {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, namespace, name, uid };
}

/** Fills in every default. Pure. */
export function desiredServer(identity: Identity, spec: DatabaseSpec, isOurSchema: boolean): Server {
  const engine = engineOf(spec.type);
  const version = versionOf(spec);
  const { resources } = spec.pod;
  return {
    identity,
    spec,
    engine,
    version,
    major: parseVersion(spec.type, version)?.major ?? version,
    image: spec.image ?? `${spec.type}:${version}`,
    servicePort: spec.service.port ?? engine.port,
    login: loginOf(identity, spec, engine),
    resources: resources === undefined || Object.keys(resources).length === 0 ? DEFAULT_RESOURCES : resources,
    isOurSchema,
  };
}

/** Name of the Secret with the generated password. */
export function credentialsName(name: string): string {
  return `${name}-credentials`;
}

/** Name of the Service Binding Secret. */
export function bindingName(name: string): string {
  return `${name}-binding`;
}

function loginOf({ name }: Identity, { auth }: DatabaseSpec, engine: Engine): Login {
  const username = auth.username ?? DEFAULT_LOGIN;
  const isUserSecret = auth.secretName !== undefined;
  // With one password in a Secret of the user, the administrator has the same.
  const isAdministrator = isUserSecret || username === engine.administrator || engine.administrator === undefined;
  return {
    username,
    database: auth.database ?? DEFAULT_LOGIN,
    secretName: auth.secretName ?? credentialsName(name),
    isUserSecret,
    adminKey: isAdministrator ? "password" : "admin-password",
  };
}
