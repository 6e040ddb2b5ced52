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
  readonly userAgent?: string;
  readonly objectRef?: { readonly namespace?: string; readonly name?: string; readonly subresource?: string };
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
  const lines = (await Deno.readTextFile(testbed.auditLogPath)).split("\n").filter((line) => line.endsWith("}"));
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
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
