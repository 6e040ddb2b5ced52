import type { Database, DatabaseStatus } from "../../crds/database/types.ts";
import { compact } from "../../crds/decode_fields.ts";
import { type FieldError, formatFieldError } from "../../crds/field_error.ts";
import { type Condition, type ConditionState, removeCondition, setCondition } from "../../crds/meta.ts";
import { OTHER_OPERATOR_ACTIVE } from "../kopf_takeover.ts";
import type { PodState } from "./observe/pod_state.ts";

/** What a reconcile found, as far as users need to know it. */
export type Finding =
  /** Everything is made; the Pod says the rest. */
  | { readonly kind: "Made" }
  /** The user must change something; nothing is retried before. */
  | {
    readonly kind: "Faulty";
    readonly reason: "InvalidSpec" | "ChangeRefused" | "NameTaken" | "CredentialsLost";
    readonly errors: readonly FieldError[];
  }
  /** Something else must happen first; it is looked for again. */
  | { readonly kind: "Waiting"; readonly reason: string; readonly message: string }
  /** The API server refused something; it is retried. */
  | { readonly kind: "Failing"; readonly reason: string; readonly message: string }
  /** A person must mend something outside of the spec. */
  | { readonly kind: "Stalled"; readonly reason: string; readonly message: string }
  | { readonly kind: "Suspended" };

/** What stands beside the finding: each is left out when it does not apply. */
export interface Facts {
  readonly pod: PodState;
  /** Whether another operator made the Pod: its probes, if it has any, are not ours. */
  readonly isTakenOver: boolean;
  readonly version?: string;
  readonly endpoint?: DatabaseStatus["endpoint"];
  readonly binding?: string;
  /** What a new Pod would have that this one has not. */
  readonly upgrade?: string;
  readonly storage?: { readonly status: "True" | "False"; readonly reason: string; readonly message: string };
  readonly rotation?: { readonly reason: string; readonly message: string };
}

/** Kubernetes refuses a condition's message above 32,768 bytes. */
const MAX_MESSAGE = 16_384;

/** Types that this handler writes; others in the list belong to somebody else and stay. */
const MANAGED = [
  ...["Ready", "Reconciling", "Stalled", "AcceptingConnections", "StorageReady", "UpgradePending"],
  ...["OwnershipConflict", "Suspended", "RotatingCredentials"],
];

/** Reasons of `Ready` when everything is made. */
const POD_READY = "PodReady";
const POD_NOT_READY = "PodNotReady";
/** Another operator is only told of what was made before it came. */
const MADE_REASONS: readonly string[] = [POD_READY, POD_NOT_READY, OTHER_OPERATOR_ACTIVE.reason];

type State = Omit<ConditionState, "observedGeneration">;

/** What users of the tutorials read. */
export function madeMessage(name: string): string {
  return `Pod and Service created by Database ${name}`;
}

/** Whether a status says that the server can be used. Pure. */
export function isReady(status: DatabaseStatus | undefined): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Whether a status says that a reconcile has made everything, whatever became of it since. Pure. */
export function isMade(status: DatabaseStatus | undefined): boolean {
  if (status?.binding !== undefined) return true;
  const conditions = status?.conditions ?? [];
  // A server that is suspended was looked at and nothing more.
  if (conditions.some(({ type }) => type === "Suspended")) return false;
  return conditions.some(({ type, reason }) => type === "Ready" && MADE_REASONS.includes(reason));
}

/**
 * The status that follows from what was found. Pure; `lastTransitionTime` moves only with a condition's status.
 *
 * @param now RFC 3339, second precision.
 */
export function nextStatus(
  object: Database,
  { finding, facts }: { readonly finding: Finding; readonly facts: Facts },
  now: string,
): DatabaseStatus {
  const observedGeneration = object.metadata.generation;
  const ready = readyState(object.metadata.name, finding, facts);
  const states = [ready, ...statesOf(ready, finding, facts)]
    .map((state) => ({ ...state, observedGeneration, message: clip(state.message) }));
  const kept = MANAGED.filter((type) => !states.some((state) => state.type === type))
    .reduce<readonly Condition[]>(removeCondition, object.status?.conditions ?? []);
  return {
    observedGeneration,
    message: clip(ready.message),
    conditions: states.reduce((conditions, state) => setCondition(conditions, state, now), kept),
    // What was not looked at because something else is wrong is still there: clients go on with it.
    ...(finding.kind === "Made" ? {} : addressOf(object)),
    ...addressFrom(facts),
  };
}

type Address = Pick<DatabaseStatus, "endpoint" | "version" | "binding">;

function addressOf({ status }: Database): Address {
  const { endpoint, version, binding } = status ?? {};
  return compact({ endpoint, version, binding }) as Address;
}

function addressFrom({ endpoint, version, binding }: Facts): Address {
  return compact({ endpoint, version, binding: binding === undefined ? undefined : { name: binding } }) as Address;
}

function readyState(name: string, finding: Finding, { pod }: Facts): State {
  const type = "Ready";
  switch (finding.kind) {
    case "Made":
    case "Suspended": {
      const message = podMessage(pod);
      return message === undefined
        ? { type, status: "True", reason: POD_READY, message: madeMessage(name) }
        : { type, status: "False", reason: POD_NOT_READY, message };
    }
    case "Faulty":
      return {
        type,
        status: "False",
        reason: finding.reason,
        message: finding.errors.map(formatFieldError).join("; "),
      };
    case "Waiting":
    case "Failing":
    case "Stalled":
      return { type, status: "False", reason: finding.reason, message: finding.message };
  }
}

function statesOf(ready: State, finding: Finding, facts: Facts): readonly State[] {
  return [...progressStates(ready, finding), ...factStates(finding, facts)];
}

function progressStates(ready: State, finding: Finding): readonly State[] {
  const reconciling: State = { ...ready, type: "Reconciling", status: "True" };
  switch (finding.kind) {
    case "Made":
      return ready.status === "True" ? [] : [reconciling];
    case "Faulty": {
      const stalled: State = { ...ready, type: "Stalled", status: "True" };
      return finding.reason === "NameTaken" ? [stalled, { ...stalled, type: "OwnershipConflict" }] : [stalled];
    }
    case "Waiting":
      return [reconciling];
    case "Failing":
      return [{ ...reconciling, message: "retrying" }];
    case "Stalled":
      return [{ ...ready, type: "Stalled", status: "True" }];
    case "Suspended":
      return [{ type: "Suspended", status: "True", reason: "SuspendIsSet", message: "nothing is changed" }];
  }
}

function factStates(finding: Finding, facts: Facts): readonly State[] {
  const { upgrade, storage, rotation } = facts;
  const states: State[] = [];
  if (finding.kind === "Made" || finding.kind === "Suspended") states.push(connectionsState(facts));
  if (storage !== undefined) states.push({ type: "StorageReady", ...storage });
  if (upgrade !== undefined) {
    states.push({ type: "UpgradePending", status: "True", reason: "PodDiffers", message: upgrade });
  }
  if (rotation !== undefined) states.push({ type: "RotatingCredentials", status: "True", ...rotation });
  return states;
}

/** A Pod that is Ready has let a login in over TCP, if its probes are ours. */
function connectionsState({ pod, isTakenOver }: Facts): State {
  const type = "AcceptingConnections";
  if (pod.kind !== "ready") return { type, status: "False", reason: POD_NOT_READY, message: podMessage(pod) ?? "" };
  return isTakenOver
    ? {
      type,
      status: "Unknown",
      reason: "NoProbe",
      message: "the Pod was made by another operator, without our probes",
    }
    : { type, status: "True", reason: "LoginSucceeded", message: "" };
}

function podMessage(pod: PodState): string | undefined {
  switch (pod.kind) {
    case "ready":
      return undefined;
    case "starting":
      return pod.message;
    case "ended":
      return `the Pod has ended: ${pod.message}`;
    case "ending":
      return "the Pod ends; a new one is made when it is gone";
    case "absent":
      return "there is no Pod";
  }
}

function clip(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}
