import { HealthChecks } from "../health.ts";
import type { OperationsOptions } from "../operations.ts";
import type { OperatorParts } from "./parts.ts";

/** Every named check of the operator: whoever has another one adds it here. */
export function createChecks({ admission, controls }: OperatorParts): OperationsOptions {
  const readiness = new HealthChecks();
  readiness.add({ name: "admission", weight: "required", check: () => admission.readiness() });
  for (const { name, informer } of controls) {
    readiness.add({
      name: `cache-${name}`,
      weight: "required",
      // A kind whose CRD is absent is polled, and makes nobody unready.
      check: () => informer.state === "syncing" ? "the first list is not complete" : undefined,
    });
  }
  return { health: new HealthChecks(), readiness };
}
