import { whenAborted } from "../../kube/timing.ts";
import type { Config } from "../config.ts";
import { createChecks } from "./checks.ts";
import type { Connections } from "./connections.ts";
import { makeParts, type OperatorParts } from "./parts.ts";
import { serveAdmission, serveOperations } from "./serve.ts";
import { createTasks } from "./tasks.ts";

/**
 * Runs the operator until `signal` is aborted, then stops everything in order.
 *
 * @throws {StartError} one line, if it cannot start and only a person can mend that.
 */
export async function run(config: Config, connections: Connections, signal: AbortSignal): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const parts = await makeParts({ config, connections }, resources, signal);
  resources.adopt(serveAdmission(parts), (listener) => listener.shutdown());
  resources.adopt(serveOperations(parts, createChecks(parts)), (server) => server.shutdown());
  await operate(parts, signal);
}

/** Watches, reconciles and admits until `signal` is aborted or something throws; either way it ends in the same order. */
async function operate(parts: OperatorParts, signal: AbortSignal): Promise<void> {
  const { admission, connections, events } = parts;
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const { everywhere, leading } = createTasks(parts);
  const loops = Promise.all([...everywhere, ...leading].map((task) => task(stop)));
  await using work = new AsyncDisposableStack();
  work.defer(async () => {
    failed.abort();
    // The webhooks go first, while the listener still answers: whoever waits for us may not wait for the drain.
    await Promise.all([admission.unregister().then(connections.onUnregistered), loops]);
    await events.flush();
  });
  await becomeReady(parts, stop);
  if (!signal.aborted) tellReady(parts);
  await whenAborted(signal);
}

async function becomeReady({ controls, admission, isProvable }: OperatorParts, signal: AbortSignal): Promise<void> {
  const synced = controls.map(({ informer }) => informer.whenSynced(signal));
  const registered = admission.register(signal);
  try {
    await Promise.all(isProvable ? [...synced, registered] : synced);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function tellReady({ config, connections, databases, logger }: OperatorParts): void {
  const { webhookPort, httpPort } = config;
  logger.info("ready", { webhookPort, httpPort, database: databases.database.address });
  connections.onReady?.();
}
