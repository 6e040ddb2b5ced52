import type { Testbed } from "../harness/testbed.ts";

/** The user agent of everything that a user does in a plan; operators have another one. */
export const USER_AGENT = "a-user";

/** Something that a user asked of the API server for an object of ours, and that was granted. */
export interface Intent {
  readonly verb: "create" | "patch" | "update" | "delete" | "deletecollection";
  readonly resource: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of a write. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** The part of a line of the audit log that matters here. */
export interface AuditEvent {
  readonly verb: string;
  readonly userAgent?: string;
  readonly requestReceivedTimestamp: string;
  readonly objectRef?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly resource?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestObject?: {
    readonly metadata?: { readonly name?: string };
    readonly spec?: Readonly<Record<string, unknown>>;
  };
}

const VERBS = ["create", "patch", "update", "delete", "deletecollection"];

/** What users did in a namespace, as the API server's audit log has it. */
export async function readIntents(testbed: Testbed, namespace: string): Promise<readonly Intent[]> {
  const events = await readAudit(testbed, namespace);
  return events.filter(({ userAgent }) => userAgent === USER_AGENT).flatMap((event) => intentOf(event) ?? []);
}

/** What one line of the log says of a user's will; `undefined`: nothing. */
export function intentOf(event: AuditEvent): Intent | undefined {
  const { verb, objectRef, requestObject, responseStatus, requestReceivedTimestamp } = event;
  if (!VERBS.includes(verb) || objectRef?.subresource !== undefined || (responseStatus?.code ?? 500) >= 300) {
    return undefined;
  }
  return {
    verb: verb as Intent["verb"],
    resource: objectRef?.resource ?? "",
    name: objectRef?.name ?? requestObject?.metadata?.name ?? "",
    at: Date.parse(requestReceivedTimestamp),
    ...(requestObject?.spec === undefined ? {} : { spec: requestObject.spec }),
  };
}

/** Lines of other namespaces are not even parsed: the log is that of all plans. */
async function readAudit(testbed: Testbed, namespace: string): Promise<readonly AuditEvent[]> {
  const marker = `"namespace":"${namespace}"`;
  const lines = (await Deno.readTextFile(testbed.auditLogPath)).split("\n");
  return lines.filter((line) => line.endsWith("}") && line.includes(marker))
    .map((line) => JSON.parse(line) as AuditEvent);
}
