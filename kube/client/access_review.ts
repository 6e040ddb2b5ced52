import type { CallOptions, KubeClient } from "./client.ts";
import type { ResourceType } from "../object.ts";

/** One thing that a caller may or may not do. */
export interface Access {
  readonly verb: "get" | "list" | "watch" | "create" | "patch" | "delete";
  readonly type: Pick<ResourceType, "group" | "plural">;
  /** Absent: in all namespaces, or of a kind that has none. */
  readonly namespace?: string;
  /** Absent: every object. */
  readonly name?: string;
}

interface SelfSubjectAccessReview {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Asks the API server whether we may do something, which everybody may ask: a request that is refused would stand in the audit log
 * as an attack.
 *
 * @throws {KubeError} if it cannot be asked.
 */
export async function isAllowed(
  client: Pick<KubeClient, "request">,
  { verb, type, namespace, name }: Access,
  options: CallOptions,
): Promise<boolean> {
  const resourceAttributes = { verb, group: type.group, resource: type.plural, namespace, name };
  const { object } = await client.request<SelfSubjectAccessReview>(
    "POST",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      ...options,
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes },
      },
    },
  );
  return object.status?.allowed === true;
}

/** How long an answer is believed: an administrator who grants something need not restart us. */
const BELIEVED_MS = 300_000;

/** What we may do, asked once for a while: for questions that come with each object. */
export class Rights {
  readonly #client: Pick<KubeClient, "request">;
  readonly #now: () => number;
  readonly #answers = new Map<string, { readonly allowed: boolean; readonly until: number }>();

  /** @param now Milliseconds from any beginning. */
  constructor(client: Pick<KubeClient, "request">, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** @throws {KubeError} if it cannot be asked. */
  async allow(access: Access, signal: AbortSignal): Promise<boolean> {
    const { verb, type, namespace, name } = access;
    const key = JSON.stringify([verb, type.group, type.plural, namespace, name]);
    const known = this.#answers.get(key);
    if (known !== undefined && this.#now() < known.until) return known.allowed;
    const allowed = await isAllowed(this.#client, access, { signal });
    this.#answers.set(key, { allowed, until: this.#now() + BELIEVED_MS });
    return allowed;
  }
}
