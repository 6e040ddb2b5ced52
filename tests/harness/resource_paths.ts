/** What tests look at, by the root of its group. */
const NAMESPACED: Readonly<Record<string, readonly string[]>> = {
  "/api/v1": ["pods", "services", "secrets", "serviceaccounts", "persistentvolumeclaims"],
  "/apis/apps/v1": ["deployments"],
  "/apis/coordination.k8s.io/v1": ["leases"],
  "/apis/kopf.demo/v1": ["databasetables"],
  "/apis/networking.k8s.io/v1": ["networkpolicies"],
  "/apis/nuvolaris.org/v1": ["samples"],
  "/apis/policy/v1": ["poddisruptionbudgets"],
  "/apis/zalando.org/v1": ["databases"],
};

const CLUSTER_SCOPED: Readonly<Record<string, readonly string[]>> = {
  "/api/v1": ["namespaces"],
  "/apis/admissionregistration.k8s.io/v1": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
  "/apis/apiextensions.k8s.io/v1": ["customresourcedefinitions"],
};

const SHORT_NAMES: Readonly<Record<string, string>> = {
  crd: "customresourcedefinitions",
  pvc: "persistentvolumeclaims",
};

/**
 * The path of an object at the API server.
 *
 * @param resource As kubectl takes it: `pod`, `pods`, `databases.zalando.org`.
 */
export function objectPath(resource: string, namespace: string, name: string): string {
  const [first = ""] = resource.split(".");
  const wanted = SHORT_NAMES[first] ?? first;
  const isWanted = (plural: string) => [plural, singularOf(plural)].includes(wanted);
  for (const [root, plurals] of Object.entries(NAMESPACED)) {
    const plural = plurals.find(isWanted);
    if (plural !== undefined) return `${root}/namespaces/${namespace}/${plural}/${name}`;
  }
  for (const [root, plurals] of Object.entries(CLUSTER_SCOPED)) {
    const plural = plurals.find(isWanted);
    if (plural !== undefined) return `${root}/${plural}/${name}`;
  }
  throw new Error(`Cannot find ${resource}: tests/harness/resource_paths.ts does not list it`);
}

function singularOf(plural: string): string {
  return plural.endsWith("ies") ? `${plural.slice(0, -3)}y` : plural.slice(0, -1);
}
