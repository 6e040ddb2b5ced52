import type { CallOptions, KubeClient } from "./client.ts";
import type { ResourceType } from "./object.ts";

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
