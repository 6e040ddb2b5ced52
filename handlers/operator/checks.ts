import type { Informer } from "../../kube/watch/informer.ts";
import { type Fault, type HealthCheck, HealthChecks } from "./health.ts";
import type { OperationsOptions } from "./operations.ts";
import type { OperatorParts } from "./parts.ts";

/** Twice the silence after which a watch is opened again: whoever is older than that is not even trying. */
const WATCH_MAX_AGE_MS = 140_000;
const LISTENER_TIMEOUT_MS = 2_000;

/** Every named check of the operator: whoever has another one adds it here. */
export function createChecks(parts: OperatorParts): OperationsOptions {
  return { health: healthChecks(parts), readiness: readinessChecks(parts), metrics: parts.telemetry.metrics };
}

/** What a restart mends. Not an outage of API server or database: a restart would only lose the caches. */
function healthChecks({ controls, heartbeat, timing }: OperatorParts): HealthChecks {
  const checks = new HealthChecks();
  checks.add({ name: "event-loop", weight: "required", check: () => heartbeat.fault });
  for (const { name, informer, owned, running } of controls) {
    const watches = [{ name, informer }, ...owned.map((each) => ({ ...each, name: `${name}-${each.name}` }))];
    checks.add(
      ...watches.map((each): HealthCheck => ({
        name: `watch-${each.name}`,
        weight: "required",
        check: () => watchFault(each.informer, timing.uptime()),
      })),
      { name: `workers-${name}`, weight: "required", check: () => running.fault },
    );
  }
  return checks;
}

/** What makes another replica the better one for a review; the rest is told and takes nobody out of service. */
function readinessChecks({ admission, controls, databases, election, shutdown }: OperatorParts): HealthChecks {
  const checks = new HealthChecks();
  checks.add(
    { name: "shutdown", weight: "required", check: () => shutdown.fault },
    { name: "listener", weight: "required", check: () => listenerFault((signal) => admission.listens(signal)) },
  );
  for (const { name, informer } of controls) {
    checks.add({
      name: `cache-${name}`,
      weight: "required",
      check: () => cacheFault(informer),
    });
  }
  checks.add({ name: "access", weight: "informational", check: () => accessFault(controls) });
  checks.add({ name: "database", weight: "informational", check: () => databases.fault });
  checks.add({ name: "webhook-configurations", weight: "informational", check: () => admission.registrationFault });
  if (election !== undefined) checks.add({ name: "election", weight: "informational", check: () => election.fault });
  return checks;
}

function cacheFault({ state }: Informer): Fault {
  switch (state) {
    case "syncing":
      return "the first list is not complete";
    case "forbidden":
      return "it may be listed nowhere";
    // A kind whose CRD is absent is polled, and makes nobody unready.
    case "absent":
    case "synced":
      return undefined;
  }
}

/** A namespace that may not be listed is no reason to serve the others less. */
function accessFault(controls: OperatorParts["controls"]): Fault {
  const faults = controls.flatMap(({ name, informer, owned }) =>
    [{ name, informer }, ...owned].flatMap((each) =>
      each.informer.forbidden.map((namespace) => `${each.name} in ${namespace}`)
    )
  );
  return faults.length === 0 ? undefined : `may not be listed: ${[...new Set(faults)].join(", ")}`;
}

function watchFault(informer: Informer, now: number): Fault {
  const ageMs = now - informer.lastAttempt;
  return ageMs > WATCH_MAX_AGE_MS ? `nothing was heard or tried for ${Math.round(ageMs / 1_000)} s` : undefined;
}

/** As the API server will call us: over TLS, with a certificate that is valid now. */
async function listenerFault(listens: (signal: AbortSignal) => Promise<boolean>): Promise<Fault> {
  return await listens(AbortSignal.timeout(LISTENER_TIMEOUT_MS)) ? undefined : "the listener answers something else";
}
