/** The least that a client needs to reach a cluster as its administrator; certificates and key as PEM. */
export interface ClusterCredentials {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** Only what happens to the kinds of this project: who wrote what, and how often. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Request
    verbs: [create, update, patch]
    resources:
      - group: kopf.demo
        resources: [databasetables]
      - group: zalando.org
        resources: [databases]
  - level: Metadata
    resources:
      - group: kopf.demo
      - group: zalando.org
      - group: nuvolaris.org
  - level: None
    userGroups: ["system:serviceaccounts:kube-system"]
  - level: Metadata
    userGroups: ["system:serviceaccounts"]
  - level: None
`;

/** A kubeconfig with everything inside it, as kubectl and client libraries read it. */
export function encodeKubeconfig(credentials: ClusterCredentials): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "tablewright-local",
    clusters: [{
      name: "tablewright-local",
      cluster: {
        server: credentials.server,
        "certificate-authority-data": btoa(credentials.certificateAuthority),
      },
    }],
    users: [{
      name: "admin",
      user: {
        "client-certificate-data": btoa(credentials.clientCertificate),
        "client-key-data": btoa(credentials.clientKey),
      },
    }],
    contexts: [{
      name: "tablewright-local",
      context: { cluster: "tablewright-local", user: "admin", namespace: "default" },
    }],
  };
  // JSON is YAML, and needs no quoting rules.
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
