import type { KubeClient } from "../../../kube/client/client.ts";
import { holderOf, type LeaseSpec } from "../../../kube/election/lease.ts";
import { LEASE } from "../../../kube/election/lease_store.ts";
import type { KubeObject } from "../../../kube/object.ts";

/** Who renewed the operator's Lease within its duration, by the clock of this machine; `undefined` if nobody did. */
export async function findHolder(
  client: Pick<KubeClient, "list">,
  { instance, leaseNamespace }: { readonly instance: string; readonly leaseNamespace?: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { items } = await client.list<KubeObject<LeaseSpec>>(LEASE, {
    namespace: leaseNamespace,
    fieldSelector: `metadata.name=${instance}`,
    signal,
  });
  const held = items.find(({ spec }) => isHeld(spec ?? {}, Date.now()));
  return held === undefined ? undefined : holderOf(held.spec ?? {});
}

/** Pure; `now` in milliseconds since 1970. */
export function isHeld(spec: LeaseSpec, now: number): boolean {
  if (holderOf(spec) === undefined) return false;
  const renewed = Date.parse(spec.renewTime ?? "");
  // Nobody knows when: better to ask a person than to believe that it is free.
  if (Number.isNaN(renewed)) return true;
  return now < renewed + (spec.leaseDurationSeconds ?? 0) * 1_000;
}
