import type { KubeManifest } from "../../../kube/object.ts";
import type { Server } from "./desired.ts";
import {
  labelsOf,
  ownerReferenceOf,
  schemaAnnotations,
  SERVER_TYPE,
  SERVER_VERSION,
  TEMPLATE_HASH,
} from "../observe/labels.ts";
import { CREDENTIALS_PATH } from "./paths.ts";
import { CONTAINER_SECURITY, podSecurity } from "./pod_security.ts";

type Json = Readonly<Record<string, unknown>>;

/** An annotation that the container sees as a file: a script needs no object of its own. */
const INITIALIZATION = "tablewright.dev/initialization";
/** Shared memory is of the node; PostgreSQL keeps parallel queries in it. */
const SHARED_MEMORY = "256Mi";

/** The Pod of a server. It carries the hash of what cannot be changed in place. */
export async function buildPod(server: Server): Promise<KubeManifest> {
  const { identity, spec, engine, version } = server;
  const { namespace, name } = identity;
  const podSpec = buildPodSpec(server);
  const initialization = engine.initialization === undefined ? {} : { [INITIALIZATION]: engine.initialization.script };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace,
      name,
      labels: { ...spec.pod.podLabels, ...labelsOf(identity, spec.type), "app.kubernetes.io/version": version },
      annotations: {
        ...spec.pod.podAnnotations,
        ...initialization,
        ...schemaAnnotations(server.isOurSchema),
        [SERVER_TYPE]: spec.type,
        [SERVER_VERSION]: version,
        [TEMPLATE_HASH]: await hashOf({ podSpec, initialization }),
      },
      ownerReferences: [ownerReferenceOf(identity)],
    },
    spec: podSpec,
  };
}

function buildPodSpec(server: Server): Json {
  const { spec } = server;
  const { nodeSelector, tolerations, affinity, priorityClassName, podSecurityContext } = spec.pod;
  return withoutAbsent({
    imagePullSecrets: spec.imagePullSecrets.length === 0 ? undefined : spec.imagePullSecrets,
    nodeSelector,
    tolerations,
    affinity,
    priorityClassName,
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 60,
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    securityContext: podSecurity(podSecurityContext),
    containers: [buildContainer(server)],
    volumes: buildVolumes(server),
  });
}

function buildContainer(server: Server): Json {
  const { engine, image, resources } = server;
  return {
    name: engine.type,
    image,
    ports: [{ name: engine.type, containerPort: engine.port, protocol: "TCP" }],
    env: buildEnv(server),
    resources,
    securityContext: CONTAINER_SECURITY,
    volumeMounts: buildMounts(server),
    ...buildProbes(server),
  };
}

function buildEnv({ engine, login, major }: Server): readonly Json[] {
  const values = {
    ...engine.env(login, major),
    LOGIN_USERNAME: login.username,
    LOGIN_DATABASE: login.database,
    SERVER_PORT: String(engine.port),
  };
  return [
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
    { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
  ];
}

/** Liveness is patient and asks for no login: a server that is out of connections is not dead. */
function buildProbes({ engine, major }: Server): Json {
  const login = { exec: { command: ["sh", "-c", engine.probe(major)] }, timeoutSeconds: 5 };
  return {
    startupProbe: { ...login, periodSeconds: 5, failureThreshold: 120 },
    readinessProbe: { ...login, periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { tcpSocket: { port: engine.port }, timeoutSeconds: 5, periodSeconds: 10, failureThreshold: 6 },
  };
}

function buildMounts({ engine }: Server): readonly Json[] {
  const { data, scratch, initialization } = engine;
  return [
    { name: "data", ...data },
    { name: "credentials", mountPath: CREDENTIALS_PATH, readOnly: true },
    { name: "shm", mountPath: "/dev/shm" },
    ...scratch,
    ...(initialization === undefined
      ? []
      : [{ name: "initialization", mountPath: initialization.mountPath, readOnly: true }]),
  ];
}

function buildVolumes({ engine, identity, login, spec }: Server): readonly Json[] {
  const data = spec.storage === undefined ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: identity.name } };
  const { initialization } = engine;
  const fieldRef = { fieldPath: `metadata.annotations['${INITIALIZATION}']` };
  return [
    { name: "data", ...data },
    // Readable by the group of the Pod only.
    { name: "credentials", secret: { secretName: login.secretName, defaultMode: 0o440 } },
    { name: "shm", emptyDir: { medium: "Memory", sizeLimit: SHARED_MEMORY } },
    ...engine.scratch.map(({ name }) => ({ name, emptyDir: {} })),
    ...(initialization === undefined ? [] : [{
      name: "initialization",
      downwardAPI: { items: [{ path: initialization.file, fieldRef }], defaultMode: 0o555 },
    }]),
  ];
}

async function hashOf(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return new Uint8Array(digest).toHex().slice(0, 16);
}

function withoutAbsent(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
