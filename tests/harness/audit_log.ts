import type { AuditedRequest } from "./rbac_usage.ts";
import type { Testbed } from "./testbed.ts";

/** One write that the API server logged. */
export interface AuditedWrite {
  readonly verb: string;
  /** `status`, or empty. */
  readonly subresource: string;
  /** HTTP status of the answer. */
  readonly code: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI?: string;
  readonly user?: { readonly username?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly resource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

/**
 * What operators wrote to one object, in order. The API server writes its log before it answers: what a client has seen
 * is in it.
 */
export async function operatorWrites(
  testbed: Testbed,
  object: { readonly namespace: string; readonly name: string },
): Promise<readonly AuditedWrite[]> {
  return (await readEvents(testbed))
    .filter(({ verb, userAgent, objectRef }) =>
      userAgent === "tablewright" && WRITES.includes(verb) && objectRef?.namespace === object.namespace &&
      objectRef.name === object.name
    )
    .map(({ verb, objectRef, responseStatus }) => ({
      verb,
      subresource: objectRef?.subresource ?? "",
      code: responseStatus?.code ?? 0,
    }));
}

/** What a service account asked for, one line each, told apart by whether it may: authorization, not admission, decides. */
export async function requestsOf(
  testbed: Testbed,
  serviceAccount: { readonly namespace: string; readonly name: string },
): Promise<{ readonly allowed: readonly string[]; readonly forbidden: readonly string[] }> {
  const events = await eventsOf(testbed, serviceAccount);
  const lines = (decision: string) =>
    events
      .filter(({ annotations }) => annotations?.["authorization.k8s.io/decision"] === decision)
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  return { allowed: lines("allow"), forbidden: lines("forbid") };
}

/** What a service account asked for and was allowed, as far as a role can grant it. */
export async function resourceRequestsOf(
  testbed: Testbed,
  serviceAccount: { readonly namespace: string; readonly name: string },
): Promise<readonly AuditedRequest[]> {
  return (await eventsOf(testbed, serviceAccount))
    .filter(({ annotations }) => annotations?.["authorization.k8s.io/decision"] === "allow")
    .map(({ verb, objectRef = {}, responseStatus }) => ({
      verb,
      group: objectRef.apiGroup ?? "",
      resource: [objectRef.resource, objectRef.subresource].filter((each) => each !== undefined).join("/"),
      name: objectRef.name ?? "",
      code: responseStatus?.code ?? 0,
    }));
}

async function eventsOf(
  testbed: Testbed,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<readonly AuditEvent[]> {
  const username = `system:serviceaccount:${namespace}:${name}`;
  return (await readEvents(testbed)).filter(({ user }) => user?.username === username);
}

async function readEvents(testbed: Testbed): Promise<readonly AuditEvent[]> {
  const lines = (await Deno.readTextFile(testbed.auditLogPath)).split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line) => JSON.parse(line) as AuditEvent);
}
