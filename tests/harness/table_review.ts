/** By which the API server would know the answer. */
export const REVIEW_UID = "7b3f6f5e-0000-4000-8000-000000000001";

/** What one review asks about. */
export interface ReviewedTable {
  readonly namespace: string;
  readonly name: string;
  readonly spec: unknown;
}

/** The body with which the API server asks about a DatabaseTable that is to be made; fields of request and review may be others. */
export function tableReview(
  { namespace, name, spec }: ReviewedTable,
  request: Readonly<Record<string, unknown>> = {},
  review: Readonly<Record<string, unknown>> = {},
): string {
  const object = { apiVersion: "kopf.demo/v1", kind: "DatabaseTable", metadata: { name, namespace }, spec };
  return JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: REVIEW_UID,
      operation: "CREATE",
      kind: { group: "kopf.demo", version: "v1", kind: "DatabaseTable" },
      resource: { group: "kopf.demo", version: "v1", resource: "databasetables" },
      namespace,
      name,
      object,
      ...request,
    },
    ...review,
  });
}
