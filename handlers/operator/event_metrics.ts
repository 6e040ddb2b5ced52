import type { EventLoss, EventRecorderOptions } from "../../kube/objects/event_recorder.ts";
import type { Metrics } from "../../kube/telemetry/metrics.ts";

/** Reasons of events that say: a spec was not carried out, and a person must change something. */
const REFUSALS = ["InvalidSpec", "PlanRefused", "OwnershipConflict"] as const;
/** Of the event that says that a drift was put right. */
const CORRECTED = "Corrected";
const LOSSES: readonly EventLoss[] = ["rate", "full", "failed", "shutdown"];

/** Counts what events tell, and those that nobody will read. */
export function observeEvents(metrics: Metrics): Pick<Required<EventRecorderOptions>, "onRecorded" | "onLost"> {
  const refused = metrics.counter({
    name: "tablewright_plans_refused_total",
    help: "Reconciles that ended with a refusal, by its reason.",
    labels: ["kind", "reason"],
  });
  const dropped = metrics.counter({
    name: "tablewright_events_dropped_total",
    help: "Kubernetes Events that were not written, by the cause.",
    labels: ["cause"],
  });
  const corrected = metrics.counter({
    name: "tablewright_drift_corrected_total",
    help: "Times that what somebody had changed by hand was put right.",
    labels: ["kind"],
  });
  for (const cause of LOSSES) dropped.add({ cause }, 0);
  return {
    onRecorded: ({ kind }, content) => {
      const reason = REFUSALS.find((each) => each === content.reason);
      if (reason !== undefined) refused.add({ kind, reason });
      if (content.reason === CORRECTED) corrected.add({ kind });
    },
    onLost: (cause) => dropped.add({ cause }),
  };
}
