import { decodeDatabaseSpec } from "../../../crds/database/decode.ts";
import type { Database, DatabaseSpec } from "../../../crds/database/types.ts";
import { KubeError } from "../../../kube/client/client.ts";
import type { KubeObject, ResourceType } from "../../../kube/object.ts";
import { hostOf } from "../../database/build/binding.ts";
import { POD, type Pod, SECRET, type Secret } from "../../database/observe/children.ts";
import { consentsTo } from "../../database/consent.ts";
import { decodeData, PASSWORD } from "../../database/build/credentials.ts";
import { bindingName, desiredServer, identityOf, type Server } from "../../database/build/desired.ts";
import { knowsOurSchema, ownershipOf } from "../../database/observe/labels.ts";
import { DATABASE_RESOURCE } from "../../database/objects.ts";
import { podStateOf } from "../../database/observe/pod_state.ts";
import { readConnectionSecret, type ServerConnection } from "./connection_secret.ts";
import type { DatabaseReference } from "./database_reference.ts";
import type { Unavailability } from "./unavailable.ts";

/** Where a server is that an object names, or why it cannot be used. */
export type Resolution = { readonly kind: "found"; readonly connection: ServerConnection } | Unavailability;

export type NamedReference = Exclude<DatabaseReference, { readonly kind: "Default" }>;

/** What the directory asks of Kubernetes. */
export interface DirectoryObjects {
  /** Past every cache; `undefined` if there is none. */
  readonly read: <T extends KubeObject>(
    type: ResourceType,
    reference: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ) => Promise<T | undefined>;
  /** Labels and phase; `undefined` if we may not look. */
  readonly readNamespace: (name: string, signal: AbortSignal) => Promise<NamespaceFacts | undefined>;
}

export interface NamespaceFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly isTerminating: boolean;
}

export interface DirectoryOptions {
  readonly objects: DirectoryObjects;
  /** `NAMESPACE/NAME` of a Database -> `HOST:PORT` where it is reached instead of its Service. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** Finds the servers that objects name. Secrets are read by name, each time: nothing is listed or watched. */
export class ServerDirectory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /**
   * @param namespace Of the object that names the server: what it may use follows from it.
   * @returns an unavailability also when the API server cannot tell.
   */
  async resolve(reference: NamedReference, namespace: string, signal: AbortSignal): Promise<Resolution> {
    try {
      return reference.kind === "Database"
        ? await this.#resolveDatabase(reference, namespace, signal)
        : await this.#resolveSecret(reference, signal);
    } catch (error) {
      if (!(error instanceof KubeError) || signal.aborted) throw error;
      return waiting(pathOf(reference), { reason: "DatabaseUnresolved", message: error.message });
    }
  }

  async #resolveDatabase(
    { namespace, name }: NamedReference & { readonly kind: "Database" },
    asking: string,
    signal: AbortSignal,
  ): Promise<Resolution> {
    const object = await this.#options.objects.read<Database>(DATABASE_RESOURCE, { namespace, name }, signal);
    const decoded = object === undefined ? undefined : decodeDatabaseSpec(object.spec);
    const what = `Database ${namespace}/${name}`;
    if (namespace !== asking) {
      const consents = decoded?.ok === true && await this.#consents({ spec: decoded.value, namespace }, asking, signal);
      // Whether it exists is nobody's business who may not use it.
      if (!consents) {
        const message = `${what} does not exist, or does not allow tables from namespace ${asking} (allowedTables)`;
        return { kind: "refused", reason: "DatabaseRefNotPermitted", message, path: PATHS.Database };
      }
    }
    if (object === undefined || decoded === undefined) {
      return { kind: "gone", reason: "DatabaseNotFound", message: `${what} does not exist`, path: PATHS.Database };
    }
    if (!decoded.ok) return notReady(`${what} has an invalid spec`);
    const { type } = decoded.value;
    if (type !== "postgres") {
      const message = `${what} is of type ${type}: tables are made in type postgres only`;
      return { kind: "refused", reason: "DatabaseTypeUnsupported", message, path: PATHS.Database };
    }
    return await this.#connect(object, desiredServer(identityOf(object), decoded.value, true), signal);
  }

  async #consents(
    { spec, namespace }: { readonly spec: DatabaseSpec; readonly namespace: string },
    asking: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const facts = spec.allowedTables.from === "Selector"
      ? await this.#options.objects.readNamespace(asking, signal)
      : undefined;
    return consentsTo(spec.allowedTables, namespace, { name: asking, labels: facts?.labels });
  }

  /** Host, port, user and database follow from the spec; of the Secret nothing but the password is believed. */
  async #connect(object: Database, server: Server, signal: AbortSignal): Promise<Resolution> {
    const { namespace, name } = server.identity;
    const what = `Database ${namespace}/${name}`;
    if (!await this.#isReady(object, server, signal)) {
      return notReady(`waiting for ${what}: ${object.status?.message ?? NO_STATUS}`);
    }
    const reference = { namespace, name: bindingName(name) };
    const binding = await this.#options.objects.read<Secret>(SECRET, reference, signal);
    // A Secret of that name that somebody else made is none of ours.
    const isOurs = binding !== undefined && ownershipOf(binding, server.identity) === "ours";
    const password = isOurs ? decodeData(binding.data)[PASSWORD] : undefined;
    if (password === undefined || password === "") {
      return notReady(`waiting for the Secret ${reference.name} of ${what}`);
    }
    const address = this.#options.addresses.get(`${namespace}/${name}`) ?? `${hostOf(server)}:${server.servicePort}`;
    const login = `${encodeURIComponent(server.login.username)}:${encodeURIComponent(password)}`;
    const url = `postgres://${login}@${address}/${encodeURIComponent(server.login.database)}?sslmode=disable`;
    return { kind: "found", connection: { url } };
  }

  /**
   * Ready follows the Pod; under a definition of the kind that hides the status only the Pod itself tells it. A Pod that was made under
   * ours is no answer then: the spec is hidden, too, and with it the name of the database.
   */
  async #isReady({ status }: Database, { identity }: Server, signal: AbortSignal): Promise<boolean> {
    if (status?.conditions !== undefined) {
      return status.conditions.some((each) => each.type === "Ready" && each.status === "True");
    }
    const { namespace, name } = identity;
    const pod = await this.#options.objects.read<Pod>(POD, { namespace, name }, signal);
    const isOurs = pod !== undefined && ownershipOf(pod, identity) === "ours" && !knowsOurSchema(pod);
    return isOurs && podStateOf(pod).kind === "ready";
  }

  async #resolveSecret(
    { namespace, name, key }: NamedReference & { readonly kind: "Secret" },
    signal: AbortSignal,
  ): Promise<Resolution> {
    const what = `Secret ${namespace}/${name}`;
    const secret = await this.#options.objects.read<Secret>(SECRET, { namespace, name }, signal);
    if (secret === undefined) {
      const facts = await this.#options.objects.readNamespace(namespace, signal);
      const message = `${what} does not exist`;
      const fields = { reason: "SecretNotFound", message };
      // Nobody can make one in a namespace that goes away.
      return facts?.isTerminating === true
        ? { kind: "gone", path: PATHS.Secret, ...fields }
        : waiting(PATHS.Secret, fields);
    }
    const read = readConnectionSecret(decodeData(secret.data), key);
    if (read.ok) return { kind: "found", connection: read.value };
    return waiting(PATHS.Secret, {
      reason: "InvalidConnectionSecret",
      message: `${what} cannot be used: ${read.fault}`,
    });
  }
}

const NO_STATUS = "its Pod is not Ready yet, or its CustomResourceDefinition hides what its spec and its status say";
const PATHS = { Database: "spec.databaseRef", Secret: "spec.connectionSecretRef" } as const;

/** The field that names a server. */
export function pathOf({ kind }: NamedReference): string {
  return PATHS[kind];
}

function notReady(message: string): Resolution {
  return waiting(PATHS.Database, { reason: "DatabaseNotReady", message });
}

function waiting(path: string, fields: Pick<Unavailability, "reason" | "message">): Unavailability {
  return { kind: "waiting", path, ...fields };
}
