import type { Leadership } from "../../kube/election/leadership.ts";
import type { OperatorParts } from "./parts.ts";
import { meetRegistry } from "./meet.ts";
import { type LeaderTask, runTogether } from "./tasks.ts";

export interface TermContext {
  readonly parts: OperatorParts;
  readonly tasks: readonly LeaderTask[];
  /** Aborted when the process is on its way out: nothing is registered any more, although the work still goes on. */
  readonly leaving: AbortSignal;
  /** Called when what all replicas need is there: the registry in the database, the webhook configurations. */
  readonly onPrepared: () => void;
}

/**
 * Does the leader's work for one term; returns when all of it has ended.
 *
 * @throws what a task throws, after the others have ended: a term is over only then.
 */
export async function lead(context: TermContext, leadership: Leadership): Promise<void> {
  const { parts, tasks } = context;
  await parts.fence.during(leadership, () =>
    runTogether((signal) => {
      const own: Leadership = { signal, lost: leadership.lost, isHeld: () => leadership.isHeld() };
      return [prepare(context, signal), ...tasks.map((task) => task(own))];
    }, leadership.signal));
}

async function prepare({ parts, leaving, onPrepared }: TermContext, signal: AbortSignal): Promise<void> {
  const { admission, isProvable } = parts;
  const stop = AbortSignal.any([signal, leaving]);
  try {
    // Before anybody is sent to us: a verdict reads the registry.
    await meetRegistry(parts, signal);
    const leading = admission.lead(stop);
    if (isProvable) await Promise.race([admission.whenRegistered(stop), leading]);
    onPrepared();
    await leading;
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
