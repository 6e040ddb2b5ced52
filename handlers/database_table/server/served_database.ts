import { RegistryGate } from "../../../postgres/registry/registry_gate.ts";
import { PostgresError } from "../../../postgres/session/errors.ts";
import type { LeaderFence } from "../../operator/leader_fence.ts";
import type { Databases } from "../../connections/open_databases.ts";
import type { ReconcileContext } from "../context.ts";
import { LiveCatalog } from "../verdict/live_catalog.ts";
import { TableReconciler } from "../reconcile.ts";
import { DatabaseSweep } from "../drift/sweep.ts";
import { ServerTurns } from "./server_turns.ts";
import { type DatabaseUnusable, unusableDatabase } from "./unavailable.ts";

/** What works on tables, whichever database they are in. */
export interface ServingContext extends Omit<ReconcileContext, "database" | "gate" | "catalog" | "server"> {
  readonly fence: Pick<LeaderFence, "guard">;
  readonly allowSuperuser: boolean;
  /** How many reconciles may work at the same time on a server that objects name. */
  readonly atOnce: number;
  /** See `Config.sweepIntervalMs`. */
  readonly sweepIntervalMs: number;
}

/** One database, and everything that works on the tables in it. */
export interface ServedDatabase extends AsyncDisposable {
  /** See `serverNameOf()`. */
  readonly name: string | undefined;
  /** `host:port/database`. */
  readonly address: string;
  readonly recovery: Databases["recovery"];
  readonly gate: RegistryGate;
  /** Who may use the reconciler now. */
  readonly turns: ServerTurns;
  readonly reconciler: TableReconciler;
  readonly sweep: DatabaseSweep;
  readonly catalog: LiveCatalog;
}

/** Makes what works on the tables of one database; connects to nothing yet. */
export function serveDatabase(
  name: string | undefined,
  databases: Databases,
  { fence, allowSuperuser, atOnce, sweepIntervalMs, ...shared }: ServingContext,
): ServedDatabase {
  const database = fence.guard(databases.database);
  const gate = new RegistryGate(database, { allowSuperuser, now: shared.timing.uptime });
  // A refusal of the loop stands for minutes: it must not rest on rows that were mended half a second ago.
  const catalog = new LiveCatalog({ ...shared, database, violationKeptMs: 0 });
  const context = { ...shared, database, gate, catalog, server: name };
  const sweep = new DatabaseSweep({
    ...context,
    sweepIntervalMs,
    onBack: databases.recovery.onBack.bind(databases.recovery),
  });
  // The operator's own is met at its start, and it is what most workers are for.
  const turns = new ServerTurns(
    name === undefined ? { atOnce: Infinity } : { atOnce, meet: () => databases.recovery.meet() },
  );
  const closed = new AbortController();
  const unchanged: Pick<DatabaseSweep, "isUnchanged"> = {
    // Of a sweep that has ended nobody would get an answer.
    isUnchanged: (object, specHash, signal) =>
      sweep.isUnchanged(object, specHash, AbortSignal.any([signal, closed.signal])),
  };
  return {
    name,
    address: database.address,
    recovery: databases.recovery,
    gate,
    sweep,
    turns,
    reconciler: new TableReconciler(context, unchanged),
    catalog: new LiveCatalog({ ...shared, database: databases.verdictDatabase }),
    async [Symbol.asyncDispose]() {
      closed.abort(new PostgresError("The connection is made anew: it was closed", { kind: "retry" }));
      turns[Symbol.dispose]();
      await databases[Symbol.asyncDispose]();
    },
  };
}

/** The same for a database that cannot be used: specs are still judged, objects released, and statuses say why. */
export function serveNothing(
  error: DatabaseUnusable,
  { fence: _, allowSuperuser, atOnce: __, ...shared }: ServingContext,
): Pick<ServedDatabase, "reconciler" | "catalog"> {
  const database = unusableDatabase(error);
  const gate = new RegistryGate(database, { allowSuperuser, now: shared.timing.uptime });
  const sweep = { isUnchanged: () => Promise.reject(error) };
  const catalog = new LiveCatalog({ ...shared, database });
  return { catalog, reconciler: new TableReconciler({ ...shared, database, gate, catalog }, sweep) };
}
