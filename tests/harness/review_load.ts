import { type KubeClient, KubeError } from "../../kube/client/client.ts";
import type { ResourceType } from "../../kube/object.ts";

const DATABASES: ResourceType = {
  group: "zalando.org",
  version: "v1",
  plural: "databases",
  kind: "Database",
  namespaced: true,
};

/** Users who create objects all the time. */
export interface ReviewLoad {
  /** How many were accepted so far. */
  readonly accepted: number;
  /** What somebody was told who did nothing wrong. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Keeps `inFlight` dry-run creates of a valid Database under way, each with a review by the webhooks. */
export function startReviewLoad(client: KubeClient, inFlight: number): ReviewLoad {
  const state = { accepted: 0, failures: [] as string[], stopped: false };
  const manifest = {
    apiVersion: "zalando.org/v1",
    kind: "Database",
    metadata: { generateName: "load-", namespace: "default" },
    spec: { type: "mongo" },
  };
  const users = Array.from({ length: inFlight }, async () => {
    while (!state.stopped) {
      try {
        await client.create(DATABASES, manifest, { dryRun: true });
        state.accepted++;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        state.failures.push(error.message);
      }
    }
  });
  return {
    get accepted() {
      return state.accepted;
    },
    failures: state.failures,
    async stop() {
      state.stopped = true;
      await Promise.all(users);
    },
  };
}
