import type { Answer, Kubectl } from "./kubectl.ts";
import { eventually } from "./wait.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** A Database as a user reads it. */
export interface DatabaseObject {
  readonly metadata: {
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly message: string;
    readonly version?: string;
    readonly endpoint?: Readonly<Record<string, unknown>>;
    readonly binding?: Readonly<Record<string, unknown>>;
    readonly conditions: readonly Condition[];
  };
}

/** What tests of Databases do and look at, in one namespace. */
export interface ServerObjects {
  apply(name: string, spec: unknown, ...flags: readonly string[]): Promise<Answer>;
  /** Applies what must be accepted. @returns the warnings. */
  applied(name: string, spec: unknown): Promise<string>;
  database(name: string): Promise<DatabaseObject>;
  /** Waits for a condition (`Ready=True`) that speaks of the object as it is. */
  condition(name: string, wanted: string, reason?: string): Promise<Condition>;
  ready(name: string): Promise<void>;
  /** Waits until an object is gone. */
  gone(resource: string, name: string): Promise<void>;
  uidOf(resource: string, name: string): Promise<string | undefined>;
  /** Waits for a Pod of that name that is another one than before, and Ready. */
  newPod(name: string, before: string): Promise<string>;
  /** The texts of a Secret. */
  secret(name: string): Promise<Readonly<Record<string, string>>>;
  /** Names of the Pods behind a Service. */
  endpointsOf(name: string): Promise<readonly string[]>;
  /** Reasons of the events about an object. */
  events(name: string): Promise<readonly string[]>;
}

export function serverObjects(kubectl: Kubectl, namespace: string): ServerObjects {
  const read = async (resource: string, name: string) => await kubectl.get(resource, name);
  const apply: ServerObjects["apply"] = (name, spec, ...flags) => {
    const metadata = { name, namespace };
    return kubectl.apply({ apiVersion: "zalando.org/v1", kind: "Database", metadata, spec }, ...flags);
  };
  const objects: ServerObjects = {
    apply,
    async applied(name, spec) {
      const { code, stderr } = await apply(name, spec);
      if (code !== 0) throw new Error(`kubectl apply failed: ${stderr}`);
      return stderr;
    },
    async database(name) {
      return await read("databases.zalando.org", name) as unknown as DatabaseObject;
    },
    condition: (name, wanted, reason) =>
      eventually(`${name} has ${wanted} ${reason ?? ""}`, async () => {
        const object = await objects.database(name);
        return object?.status?.conditions.find((each) =>
          `${each.type}=${each.status}` === wanted && each.observedGeneration === object.metadata.generation &&
          (reason === undefined || each.reason === reason)
        );
      }),
    async ready(name) {
      await objects.condition(name, "Ready=True");
    },
    async gone(resource, name) {
      await eventually(`${resource} ${name} is gone`, async () => await read(resource, name) === undefined);
    },
    async uidOf(resource, name) {
      const object = await read(resource, name) as { metadata: { uid: string } } | undefined;
      return object?.metadata.uid;
    },
    newPod: (name, before) => readNewPod(kubectl, name, before),
    secret: (name) => readSecret(kubectl, name),
    endpointsOf: (name) => readEndpoints(kubectl, name),
    events: (name) => readEvents(kubectl, name),
  };
  return objects;
}

async function readSecret(kubectl: Kubectl, name: string): Promise<Readonly<Record<string, string>>> {
  const { data } = await kubectl.get("secret", name) as { data: Record<string, string> };
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, atob(text)]));
}

/** Names of the Pods behind a Service, once there are some. */
async function readEndpoints(kubectl: Kubectl, name: string): Promise<readonly string[]> {
  return await eventually(`Service ${name} has endpoints`, async () => {
    const selector = `kubernetes.io/service-name=${name}`;
    const slices = JSON.parse(await kubectl.ok(["get", "endpointslices", "-l", selector, "-o", "json"])) as {
      items: { endpoints?: { targetRef?: { name: string } }[] }[];
    };
    const names = slices.items.flatMap(({ endpoints }) => endpoints ?? []).map(({ targetRef }) =>
      targetRef?.name ?? ""
    );
    return names.length > 0 ? names : undefined;
  });
}

async function readEvents(kubectl: Kubectl, name: string): Promise<readonly string[]> {
  const selector = `regarding.name=${name}`;
  const text = await kubectl.ok(["get", "events.events.k8s.io", "--field-selector", selector, "-o", "json"]);
  return (JSON.parse(text) as { items: { reason: string }[] }).items.map(({ reason }) => reason);
}

async function readNewPod(kubectl: Kubectl, name: string, before: string): Promise<string> {
  return await eventually(`pod ${name} is another one`, async () => {
    const pod = await kubectl.get("pod", name) as unknown as {
      metadata: { uid: string };
      status: { conditions?: { type: string; status: string }[] };
    } | undefined;
    const isReady = pod?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return pod !== undefined && pod.metadata.uid !== before && isReady ? pod.metadata.uid : undefined;
  });
}
