/** The `spec` of a coordination.k8s.io/v1 Lease. Every field may be absent: anyone may have made the object. */
export interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly acquireTime?: string | null;
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number | null;
}

/** A Lease as it was read, and when it was first seen in this version. */
export interface ObservedLease {
  readonly resourceVersion: string;
  readonly spec: LeaseSpec;
  /** Milliseconds of our own clock: the holder's may be wrong. */
  readonly changedAt: number;
}

/** Who asks for a lease, and for how long. */
export interface LeaseClaim {
  readonly identity: string;
  readonly durationMs: number;
  /** Milliseconds since 1970, for people who read the object. */
  readonly now: number;
}

/**
 * Remembers a Lease that was read: as long as it stays in one version, its holder shows no life.
 *
 * @param now Milliseconds of a clock that never jumps.
 */
export function observeLease(
  before: ObservedLease | undefined,
  read: Pick<ObservedLease, "resourceVersion" | "spec">,
  now: number,
): ObservedLease {
  const isSame = before?.resourceVersion === read.resourceVersion;
  return { ...read, changedAt: isSame ? before.changedAt : now };
}

/** The identity of whoever holds the lease by what it says; `undefined` if it is free. */
export function holderOf(spec: LeaseSpec): string | undefined {
  return spec.holderIdentity || undefined;
}

/**
 * Milliseconds until a lease may be taken; 0 or less if it may be now: it is free, ours, or its holder has not renewed it for as long as
 * it said it would need.
 *
 * @param now Of the same clock as `changedAt`.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const lease = { resourceVersion: "1", spec: { holderIdentity: "a", leaseDurationSeconds: 15 }, changedAt: 0 };
 * const claim = { identity: "b", durationMs: 15_000, now: 0 };
 * assertEquals([takeableInMs(lease, claim, 14_999), takeableInMs(lease, claim, 15_000)], [1, 0]);
 * ```
 */
export function takeableInMs(lease: ObservedLease, claim: LeaseClaim, now: number): number {
  const holder = holderOf(lease.spec);
  if (holder === undefined || holder === claim.identity) return 0;
  const seconds = lease.spec.leaseDurationSeconds ?? 0;
  return lease.changedAt + (seconds > 0 ? seconds * 1_000 : claim.durationMs) - now;
}

/** What to write to take the lease, or to go on holding it; a change of the holder is counted. */
export function claimedSpec(before: LeaseSpec | undefined, claim: LeaseClaim): LeaseSpec {
  const isOurs = before?.holderIdentity === claim.identity;
  const time = microTime(claim.now);
  return {
    holderIdentity: claim.identity,
    leaseDurationSeconds: Math.ceil(claim.durationMs / 1_000),
    acquireTime: isOurs ? before.acquireTime ?? time : time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (isOurs || before === undefined ? 0 : 1),
  };
}

/** What to write to let the next one in at once. */
export function releasedSpec(before: LeaseSpec, now: number): LeaseSpec {
  return {
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: before.acquireTime ?? microTime(now),
    renewTime: microTime(now),
    leaseTransitions: before.leaseTransitions ?? 0,
  };
}

/** Kubernetes takes a MicroTime with exactly six digits. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, "000Z");
}
