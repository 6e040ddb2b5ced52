import type { KubeManifest, KubeObject, ResourceType } from "../object.ts";
import { redact } from "../telemetry/redact.ts";

/** What happened to an object, for whoever runs `kubectl describe` or `kubectl get events`. */
export interface EventContent {
  readonly type: "Normal" | "Warning";
  /** Why, CamelCase: `TableCreated`. */
  readonly reason: string;
  /** What was being done, CamelCase: `Apply`. */
  readonly action: string;
  /** For people; cut at 1,024 bytes. Never a secret or a row value. */
  readonly note: string;
}

/** The object that an event is about. */
export type EventSubject = Pick<KubeObject, "apiVersion" | "kind"> & {
  readonly metadata: Pick<KubeObject["metadata"], "name" | "namespace" | "uid" | "resourceVersion">;
};

/** How often the same was said, and when last, in milliseconds since 1970. */
export interface EventSeries {
  readonly count: number;
  readonly lastSeen: number;
}

export interface EventContext {
  readonly reportingController: string;
  readonly reportingInstance: string;
  /** When it was said first, in milliseconds since 1970. */
  readonly now: number;
  /** Makes the name unique. */
  readonly suffix: string;
  readonly series: EventSeries;
}

export const EVENTS: ResourceType = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};

const MAX_NOTE_BYTES = 1_024;

/** Builds an Event. Pure. */
export function buildEvent(subject: EventSubject, content: EventContent, context: EventContext): KubeManifest {
  const { name, namespace, uid, resourceVersion } = subject.metadata;
  const regarding = { apiVersion: subject.apiVersion, kind: subject.kind, namespace, name, uid, resourceVersion };
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: eventNamespace(subject), name: `${trimName(name)}.${context.suffix}` },
    eventTime: microTime(context.now),
    reportingController: context.reportingController,
    reportingInstance: context.reportingInstance.slice(0, 128),
    type: content.type,
    reason: content.reason,
    action: content.action,
    note: trimNote(redact(content.note)),
    regarding,
    // The API server refuses a series of one.
    ...(context.series.count > 1 ? { series: encodeSeries(context.series) } : {}),
  };
}

/** A series as `events.k8s.io/v1` has it. Pure. */
export function encodeSeries({ count, lastSeen }: EventSeries): Record<string, unknown> {
  return { count, lastObservedTime: microTime(lastSeen) };
}

/** Events about cluster-scoped objects live in `default`. */
export function eventNamespace(subject: EventSubject): string {
  return subject.metadata.namespace ?? "default";
}

/** A name has at most 253 characters, and each part between dots begins and ends with a letter or digit. */
function trimName(name: string): string {
  return name.slice(0, 240).replace(/[-.]+$/, "");
}

/** Cuts at a character, not within one. */
function trimNote(note: string): string {
  const bytes = new TextEncoder().encode(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  const cut = new TextDecoder().decode(bytes.subarray(0, MAX_NOTE_BYTES - 3)).replace(/\uFFFD+$/, "");
  return `${cut}…`;
}

function microTime(now: number): string {
  return new Date(now).toISOString().replace("Z", "000Z");
}
