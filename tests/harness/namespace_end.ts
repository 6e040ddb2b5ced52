import type { Kubectl } from "./kubectl.ts";

interface Left {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** What may hold a namespace: what we make, and what we make it for. */
const KINDS = "databasetables,databases.zalando.org,samples,pods,services,secrets,persistentvolumeclaims,deployments";

/** Deletes a namespace and waits until it is gone; one that stays is told with everything that is still in it. */
export async function deleteNamespace(kubectl: Kubectl, namespace: string): Promise<void> {
  // Its controller comes again later and later where something ends slowly, as Pods do.
  const { code, stderr } = await kubectl.run(["delete", "namespace", namespace, "--timeout=180s"]);
  if (code !== 0) {
    throw new Error(`Cannot delete namespace ${namespace}: ${stderr}\n${await whatIsLeft(kubectl, namespace)}`);
  }
}

/** The words of the namespace controller, then a line for each object that is left. */
async function whatIsLeft(kubectl: Kubectl, namespace: string): Promise<string> {
  const live = await kubectl.get("namespace", namespace) as unknown as Left | undefined;
  const { stdout } = await kubectl.run(["get", KINDS, "--namespace", namespace, "-o", "json"]);
  const { items } = (stdout === "" ? { items: [] } : JSON.parse(stdout)) as { items: readonly Left[] };
  return [...(live === undefined ? [] : [live]), ...items].map(describe).join("\n");
}

function describe({ kind, metadata, spec, status }: Left): string {
  const { name, deletionTimestamp, finalizers = [] } = metadata;
  const facts = [
    deletionTimestamp === undefined ? "not deleted" : `deleted at ${deletionTimestamp}`,
    ...(finalizers.length === 0 ? [] : [`held by ${finalizers.join(", ")}`]),
    ...(spec?.nodeName === undefined ? [] : [`on node ${spec.nodeName}`]),
    ...(status?.phase === undefined ? [] : [status.phase]),
  ];
  const conditions = (status?.conditions ?? []).map((each) =>
    `  ${each.type}=${each.status} ${each.reason ?? ""}: ${each.message ?? ""}`
  );
  return [`${kind} ${name}: ${facts.join("; ")}`, ...conditions].join("\n");
}
