import type { DatabaseTable } from "../../../crds/database_table/types.ts";
import { pause, whenAborted } from "../../../kube/timing.ts";
import type { Timing } from "../../../kube/timing.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import type { TendedObjects } from "../../registry.ts";
import type { ServerConnection } from "./connection_secret.ts";
import { type DatabaseReference, referenceOf, serverNameOf } from "./database_reference.ts";
import type { ServedDatabase } from "./served_database.ts";
import { type NamedReference, pathOf, type Resolution, type ServerDirectory } from "./server_directory.ts";
import { DatabaseUnusable, type Unavailability } from "./unavailable.ts";

/** Who asks for a database. */
export interface Asker {
  /** `undefined`: the spec cannot be understood. */
  readonly reference: DatabaseReference | undefined;
  /** Of the object: what it may use follows from it. */
  readonly namespace: string;
  /** Whether the object is being deleted: for that, credentials that are gone meanwhile still serve. */
  readonly isLeaving?: boolean;
}

export type Found =
  | { readonly kind: "served"; readonly server: ServedDatabase }
  | { readonly kind: "unusable"; readonly error: DatabaseUnusable };

export interface ServedDatabasesOptions {
  /** The operator's own; absent: every object must name one. */
  readonly fallback: ServedDatabase | undefined;
  readonly directory: Pick<ServerDirectory, "resolve">;
  /** @throws {PostgresError} if the connection cannot be used. */
  readonly open: (reference: NamedReference, connection: ServerConnection) => ServedDatabase;
  readonly timing: Pick<Timing, "uptime" | "delay">;
}

/** What is known of a server is believed for so long: nobody tells when a Secret changes. */
const RESYNC_MS = 60_000;
/** How often servers are looked for that cannot be used or reached. */
const LOOK_MS = 2_000;

/** A server that is open. */
interface Entry {
  readonly server: ServedDatabase;
  /** Equal for equal connections. */
  readonly fingerprint: string;
  readonly closed: AbortController;
  lastUsedAt: number;
  sweeping: Promise<void> | undefined;
}

/** While this replica leads. */
interface Term {
  readonly objects: TendedObjects;
  readonly signal: AbortSignal;
}

/** The objects that the loop knows of an asker. */
interface Users {
  readonly asker: Asker;
  /** By `namespace/name`: whether the object is being deleted. */
  readonly objects: Map<string, boolean>;
}

/** The last answer to an asker. */
interface Answer {
  readonly found: Found;
  readonly at: number;
}

/**
 * The databases that objects name, each opened when it is needed and closed when nobody names it any more. A reference has a pool of its
 * own: credentials of one Secret never serve another one, whatever server both mean.
 */
export class ServedDatabases implements AsyncDisposable {
  readonly #options: ServedDatabasesOptions;
  /** By the name of the server. */
  readonly #entries = new Map<string, Entry>();
  /** By the key of the asker. */
  readonly #answers = new Map<string, Answer>();
  /** By the key of the asker. */
  readonly #users = new Map<string, Users>();
  readonly #closing = new Set<Promise<void>>();
  #term: Term | undefined;
  /** Ends the pause between two looks. */
  #look = Promise.withResolvers<void>();

  constructor(options: ServedDatabasesOptions) {
    this.#options = options;
  }

  /** The operator's own database. */
  get fallback(): ServedDatabase | undefined {
    return this.#options.fallback;
  }

  /** What is known against those that are open, in one line. */
  get fault(): string | undefined {
    const faults = this.servers.flatMap(({ recovery }) => recovery.fault ?? []);
    return faults.length === 0 ? undefined : faults.join("; ");
  }

  /** The default first. */
  get servers(): readonly ServedDatabase[] {
    const { fallback } = this.#options;
    return [...(fallback === undefined ? [] : [fallback]), ...[...this.#entries.values()].map(({ server }) => server)];
  }

  /**
   * The database that an object names.
   *
   * @param maxAgeMs How old an answer may be.
   */
  async find(
    asker: Asker,
    { maxAgeMs = RESYNC_MS, signal }: { readonly maxAgeMs?: number; readonly signal: AbortSignal },
  ): Promise<Found> {
    const { reference, namespace } = asker;
    if (reference === undefined) return unusable(INVALID_REFERENCE);
    if (reference.kind === "Default") {
      const { fallback } = this.#options;
      return fallback === undefined ? unusable(NO_DEFAULT) : { kind: "served", server: fallback };
    }
    this.#closeUnused();
    const key = askerKey(reference, namespace);
    const known = this.#answers.get(key);
    const isGoodEnough = known?.found.kind === "served" || asker.isLeaving !== true;
    if (known !== undefined && isGoodEnough && known.at > this.#options.timing.uptime() - maxAgeMs) {
      return this.#use(known.found);
    }
    const resolution = await this.#options.directory.resolve(reference, namespace, signal);
    const found = this.#conclude(reference, resolution, asker.isLeaving === true);
    // What serves an object that goes away is no answer for others.
    if (asker.isLeaving !== true) this.#answers.set(key, { found, at: this.#options.timing.uptime() });
    return this.#use(found);
  }

  /** Remembers that an object uses what it names, so that it stays open; call it before {@linkcode find}. */
  hold(objectKey: string, asker: Asker): void {
    const { reference, namespace, isLeaving = false } = asker;
    if (reference === undefined || reference.kind === "Default") return this.forget(objectKey);
    const key = askerKey(reference, namespace);
    if (this.#users.get(key)?.objects.has(objectKey) !== true) this.forget(objectKey);
    const users = this.#users.get(key) ?? { asker: { reference, namespace }, objects: new Map() };
    users.objects.set(objectKey, isLeaving);
    this.#users.set(key, users);
  }

  /** The object is gone: what only it has used is closed. */
  forget(objectKey: string): void {
    for (const [key, { asker, objects }] of this.#users) {
      if (!objects.delete(objectKey) || objects.size > 0) continue;
      this.#users.delete(key);
      this.#answers.delete(key);
      const name = asker.reference === undefined ? undefined : serverNameOf(asker.reference);
      if (name !== undefined && !this.#isUsed(name)) this.#close(name);
    }
  }

  /** Brings back what failed in an outage, whichever database it was of. */
  defer(error: unknown, work: { readonly key: string; readonly retry: () => void }): unknown {
    for (const { recovery } of this.servers) {
      const deferred = recovery.defer(error, work);
      if (deferred !== error) return deferred;
    }
    return error;
  }

  /** Asks for a reconcile of an object, while this replica leads. */
  bringBack(objectKey: string): void {
    this.#term?.objects.enqueue(objectKey);
  }

  /** A Database is Ready: whoever waits for it need not wait for the next look. */
  serves(database: { readonly namespace: string; readonly name: string }): void {
    for (const [key, { asker: { reference } }] of this.#users) {
      if (reference?.kind !== "Database") continue;
      if (reference.namespace !== database.namespace || reference.name !== database.name) continue;
      const answer = this.#answers.get(key);
      if (answer?.found.kind !== "unusable") continue;
      this.#answers.set(key, { ...answer, at: -Infinity });
      this.#look.resolve();
    }
  }

  /** Sweeps every database, and looks for those that cannot be used, until the signal is aborted; never rejects. */
  async tend(objects: TendedObjects, signal: AbortSignal): Promise<void> {
    this.#term = { objects, signal };
    const { fallback, timing } = this.#options;
    const sweeping = fallback === undefined ? Promise.resolve() : this.#runSweep(fallback, signal);
    for (const entry of this.#entries.values()) this.#sweep(entry);
    while (!signal.aborted) {
      await Promise.race([pause(timing, LOOK_MS, signal), this.#look.promise]);
      this.#look = Promise.withResolvers();
      if (!signal.aborted) await this.#lookAgain({ objects, signal });
    }
    this.#term = undefined;
    await Promise.all([sweeping, ...[...this.#entries.values()].map((entry) => entry.sweeping)]);
    for (const entry of this.#entries.values()) entry.sweeping = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#entries.keys()]) this.#close(name);
    await Promise.all(this.#closing);
  }

  #conclude(reference: NamedReference, resolution: Resolution, isLeaving: boolean): Found {
    const name = serverNameOf(reference) ?? "";
    if (resolution.kind === "found") {
      try {
        return { kind: "served", server: this.#open(name, reference, resolution.connection) };
      } catch (error) {
        if (!(error instanceof PostgresError)) throw error;
        const reason = "InvalidConnectionSecret";
        return unusable({ kind: "waiting", reason, message: error.message, path: pathOf(reference) });
      }
    }
    if (resolution.kind === "gone") this.#close(name);
    const entry = this.#entries.get(name);
    // A server that restarts is asked all the same: its recovery tells when it is back.
    const maySee = resolution.kind === "waiting" && (isLeaving || KEEPS_OPEN.includes(resolution.reason));
    if (entry !== undefined && maySee) return { kind: "served", server: entry.server };
    return unusable(resolution);
  }

  #open(name: string, reference: NamedReference, connection: ServerConnection): ServedDatabase {
    const fingerprint = JSON.stringify(connection);
    const entry = this.#entries.get(name);
    if (entry?.fingerprint === fingerprint) return entry.server;
    const server = this.#options.open(reference, connection);
    this.#close(name);
    const lastUsedAt = this.#options.timing.uptime();
    this.#entries.set(name, { server, fingerprint, closed: new AbortController(), lastUsedAt, sweeping: undefined });
    return server;
  }

  #use(found: Found): Found {
    if (found.kind !== "served" || found.server.name === undefined) return found;
    const entry = this.#entries.get(found.server.name);
    if (entry === undefined) return found;
    entry.lastUsedAt = this.#options.timing.uptime();
    if (this.#isUsed(found.server.name)) this.#sweep(entry);
    return found;
  }

  #isUsed(name: string): boolean {
    return [...this.#users.values()].some(({ asker: { reference } }) =>
      reference !== undefined && serverNameOf(reference) === name
    );
  }

  /** Only reviews have asked for it, and none does any more. */
  #closeUnused(): void {
    const before = this.#options.timing.uptime() - RESYNC_MS;
    for (const [name, { lastUsedAt }] of this.#entries) {
      if (lastUsedAt < before && !this.#isUsed(name)) this.#close(name);
    }
    for (const [key, { at }] of this.#answers) if (at < before && !this.#users.has(key)) this.#answers.delete(key);
  }

  #close(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    for (const [key, { found }] of this.#answers) {
      if (found.kind === "served" && found.server === entry.server) this.#answers.delete(key);
    }
    entry.closed.abort();
    const closing = Promise.resolve(entry.server[Symbol.asyncDispose]()).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #sweep(entry: Entry): void {
    if (this.#term === undefined) return;
    entry.sweeping ??= this.#runSweep(entry.server, AbortSignal.any([this.#term.signal, entry.closed.signal]));
  }

  async #runSweep({ name, sweep, reconciler, turns }: ServedDatabase, signal: AbortSignal): Promise<void> {
    const objects = this.#term?.objects;
    await Promise.race([turns.whenMet(), whenAborted(signal)]);
    if (objects === undefined || signal.aborted) return;
    const get = (key: string) => {
      const object = objects.get(key) as DatabaseTable | undefined;
      const reference = object === undefined ? undefined : referenceOf(object.spec, object.metadata.namespace);
      return reference !== undefined && serverNameOf(reference) === name ? object : undefined;
    };
    await sweep.run({
      get,
      all: () => objects.keys().flatMap((key) => get(key) ?? []),
      whenSynced: objects.whenSynced,
      suspect: (object) => {
        reconciler.suspect(object);
        objects.enqueue(`${object.metadata.namespace}/${object.metadata.name}`);
      },
    }, signal);
  }

  /** Asks again where an answer is old or bad; whoever gets another one looks at its table. */
  async #lookAgain({ objects, signal }: Term): Promise<void> {
    for (const [key, { asker, objects: users }] of [...this.#users]) {
      const before = this.#answers.get(key);
      // Somebody waits for what is being deleted: it must not learn a minute later that its server is gone.
      const isLeaving = [...users.values()].some((each) => each);
      if (before !== undefined && !this.#isDue(before, isLeaving)) continue;
      const after = await this.find(asker, { maxAgeMs: 0, signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (after === undefined || (before !== undefined && isSame(before.found, after))) continue;
      for (const user of users.keys()) objects.enqueue(user);
    }
  }

  #isDue({ found, at }: Answer, isLeaving: boolean): boolean {
    const isGood = found.kind === "served" && found.server.recovery.fault === undefined && !isLeaving;
    return at <= this.#options.timing.uptime() - (isGood ? RESYNC_MS : LOOK_MS);
  }
}

const KEEPS_OPEN = ["DatabaseNotReady", "DatabaseUnresolved"];

const INVALID_REFERENCE: Unavailability = {
  kind: "refused",
  reason: "InvalidSpec",
  message: "the spec does not say in which database the table is",
  path: "spec.databaseRef",
};

const NO_DEFAULT: Unavailability = {
  kind: "unset",
  reason: "NoDefaultDatabase",
  message: "must be set, or connectionSecretRef: this operator has no database of its own (DATABASE_URL)",
  path: "spec.databaseRef",
};

function unusable(why: Unavailability): Found {
  return { kind: "unusable", error: new DatabaseUnusable(why) };
}

function isSame(before: Found, after: Found): boolean {
  if (before.kind === "served" && after.kind === "served") return before.server === after.server;
  return before.kind === "unusable" && after.kind === "unusable" && before.error.message === after.error.message;
}

function askerKey(reference: NamedReference, namespace: string): string {
  return `${serverNameOf(reference)} for ${namespace}`;
}
