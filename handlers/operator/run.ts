import { soleLeadership } from "../../kube/election/leadership.ts";
import { whenAborted } from "../../kube/timing.ts";
import type { Config } from "../config.ts";
import type { ReviewListener } from "../admission/review_listener.ts";
import { createChecks } from "./checks.ts";
import type { Connections } from "./connections.ts";
import { lead } from "./lead.ts";
import { measureParts } from "./metrics.ts";
import { makeParts, type OperatorParts } from "./parts.ts";
import { serveAdmission, serveOperations } from "./serve.ts";
import { createTasks, runTogether } from "./tasks.ts";

/**
 * Runs the operator until `signal` is aborted, then stops everything in order: it is not ready any more and sends its clients away; in a
 * Pod it waits until nobody comes; watches end; reconciles that run may end; the Lease is freed; listeners and pools are closed.
 *
 * @throws {StartError} one line, if it cannot start and only a person can mend that.
 */
export async function run(config: Config, connections: Connections, signal: AbortSignal): Promise<void> {
  await using resources = new AsyncDisposableStack();
  const parts = await makeParts({ config, connections }, resources, signal);
  measureParts(parts.telemetry.metrics, parts);
  const listener = resources.adopt(serveAdmission(parts), (each) => each.shutdown());
  resources.adopt(serveOperations(parts, createChecks(parts)), (server) => server.shutdown());
  await operate(parts, listener, signal);
}

/** Watches, admits and, while it leads, reconciles until `signal` is aborted or something throws; both end in the same order. */
async function operate(parts: OperatorParts, listener: ReviewListener, signal: AbortSignal): Promise<void> {
  const { admission, connections, election, events, shutdown } = parts;
  const [leaving, stop] = [new AbortController(), new AbortController()];
  const prepared = Promise.withResolvers<void>();
  const loops = runLoops({ parts, listener }, {
    leaving: leaving.signal,
    stop: stop.signal,
    onPrepared: prepared.resolve,
  });
  await using ending = new AsyncDisposableStack();
  ending.defer(async () => {
    const leads = election?.isLeading ?? true;
    leaving.abort();
    // The webhooks go first, while the listener still answers: whoever waits for us may not wait for the drain.
    // Unless another replica leads: they are its own then.
    const unregistered = (leads ? admission.unregister() : Promise.resolve()).then(connections.onUnregistered);
    await shutdown.leave(listener);
    stop.abort();
    await Promise.all([unregistered, loops.catch(() => {})]);
    await events.flush();
  });
  const stopped = whenAborted(signal);
  await Promise.race([becomeReady(parts, prepared.promise, signal), loops, stopped]);
  if (!signal.aborted) tellReady(parts);
  await Promise.race([stopped, loops]);
}

interface LoopSignals {
  readonly leaving: AbortSignal;
  readonly stop: AbortSignal;
  readonly onPrepared: () => void;
}

/** All that goes on; resolves when all of it has ended after `stop`. @throws what ends the operator. */
async function runLoops(
  { parts, listener }: { readonly parts: OperatorParts; readonly listener: ReviewListener },
  { leaving, stop, onPrepared }: LoopSignals,
): Promise<void> {
  const { everywhere, leading } = createTasks(parts, listener);
  const context = { parts, tasks: leading, leaving, onPrepared };
  await runTogether((signal) => [
    ...everywhere.map((task) => task(signal)),
    parts.election === undefined
      ? lead(context, soleLeadership(signal))
      : parts.election.run((leadership) => lead(context, leadership), signal),
  ], stop);
}

/** A standby is ready when its caches are warm; a leader when it has prepared what all replicas need too. */
async function becomeReady(parts: OperatorParts, prepared: Promise<void>, signal: AbortSignal): Promise<void> {
  const { controls, election } = parts;
  try {
    await Promise.all(controls.map(({ informer }) => informer.whenSynced(signal)));
    await election?.decided;
    if (election === undefined || election.isLeading) await prepared;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function tellReady({ config, connections, databases, logger }: OperatorParts): void {
  const { webhookPort, httpPort } = config;
  logger.info("ready", { webhookPort, httpPort, database: databases.fallback?.address });
  connections.onReady?.();
}
