import { isAllowed } from "../../kube/client/access_review.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { patiently } from "../../kube/client/patience.ts";
import { LeaderElection } from "../../kube/election/leader_election.ts";
import { LEASE, type LeaseName, LeaseStore } from "../../kube/election/lease_store.ts";
import type { Logger } from "../../kube/telemetry/logger.ts";
import { systemTiming } from "../../kube/timing.ts";
import type { Config } from "../config.ts";
import { StartError } from "../errors.ts";

export interface ElectionOptions {
  readonly config: Config;
  readonly client: KubeClient;
  /** Where the Lease is: the one that was named, or that of the Pod that we are. */
  readonly namespace: string | undefined;
  readonly logger: Logger;
}

const VERBS = ["get", "watch", "create", "patch"] as const;

/**
 * How this process finds out whether it leads; `undefined` if it is the only one there is.
 *
 * @throws {StartError} one line, if it is to take part and cannot.
 */
export async function prepareElection(
  options: ElectionOptions,
  signal: AbortSignal,
): Promise<LeaderElection | undefined> {
  const { config, client, namespace, logger } = options;
  if (config.standalone) return undefined;
  if (namespace === undefined) {
    throw new StartError(
      "Cannot choose where the replicas meet: give --leader-election-namespace NAME, or --standalone for the only replica",
    );
  }
  const lease = { namespace, name: config.instance };
  await meetLease(options, lease, signal);
  // A Pod keeps its name when its container starts again, and the one before may still be on its way out.
  const identity = `${config.processName}_${crypto.randomUUID()}`;
  return new LeaderElection({
    store: new LeaseStore({ client, lease, identity }),
    identity,
    timing: systemTiming,
    uptime: () => performance.now(),
    logger,
  });
}

async function meetLease(
  { client, logger }: Pick<ElectionOptions, "client" | "logger">,
  { namespace, name }: LeaseName,
  signal: AbortSignal,
): Promise<void> {
  const ask = (verb: (typeof VERBS)[number]) => isAllowed(client, { verb, type: LEASE, namespace, name }, { signal });
  const answers = await Promise.all(
    VERBS.map((verb) => patiently(() => ask(verb), { timing: systemTiming, signal, logger })),
  );
  const missing = VERBS.filter((_, index) => answers[index] === false);
  if (missing.length === 0) return;
  throw new StartError(
    `Cannot take part in the leader election: the operator may not ${missing.join(", ")} the Lease ` +
      `${namespace}/${name}; let an administrator grant it, or give --standalone for the only replica`,
  );
}
