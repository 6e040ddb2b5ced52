import type { Pod } from "./children.ts";

/** What a Pod does, in the words of the status. */
export type PodState =
  | { readonly kind: "ready" }
  /** It will be ready, or says why not. */
  | { readonly kind: "starting"; readonly message: string }
  /** It will never run again by itself. */
  | { readonly kind: "ended"; readonly message: string }
  | { readonly kind: "ending" }
  | { readonly kind: "absent" };

/** Says what a Pod does. Pure. */
export function podStateOf(pod: Pod | undefined): PodState {
  if (pod === undefined) return { kind: "absent" };
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: "ending" };
  const { phase, reason, message, conditions = [] } = pod.status ?? {};
  if (phase === "Failed" || phase === "Succeeded") {
    const why = [reason, message].filter((each) => each !== undefined).join(": ");
    return { kind: "ended", message: why === "" ? `its phase is ${phase}` : why };
  }
  const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
  return isReady ? { kind: "ready" } : { kind: "starting", message: startingMessage(pod) };
}

function startingMessage({ status }: Pod): string {
  const { conditions = [], containerStatuses = [] } = status ?? {};
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") return scheduled.message ?? "no node takes the Pod";
  const waiting = containerStatuses.map(({ state }) => state?.waiting).find((each) => each !== undefined);
  if (waiting !== undefined) return [waiting.reason, waiting.message].filter((each) => each !== undefined).join(": ");
  return scheduled === undefined ? "the Pod waits for a node" : "the server does not let anybody in yet";
}
