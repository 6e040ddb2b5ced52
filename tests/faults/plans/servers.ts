import { assertEquals } from "@std/assert";
import { TABLE_RESOURCE } from "../../../handlers/database_table/handler.ts";
import { eventually } from "../../harness/wait.ts";
import { type CrashableTestbed, startTestbed } from "../../harness/testbed.ts";
import { lockWaiters } from "../stage/lock_waiters.ts";
import type { Stage } from "../stage/stage.ts";
import { faultsUnder, type Step } from "../stage/workload.ts";

const CRDS = new URL("../../../crds", import.meta.url).pathname;

/** Servers of this plan alone, with the kinds. */
async function startOwnServers(): Promise<CrashableTestbed> {
  const testbed = await startTestbed();
  const kubectl = async (...args: readonly string[]) => {
    const command = new Deno.Command(testbed.kubectlPath, { args: ["--kubeconfig", testbed.kubeconfigPath, ...args] });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  await kubectl("apply", "--server-side", "--kustomize", CRDS);
  await kubectl("wait", "--for=condition=Established", "customresourcedefinitions", "--all", "--timeout=60s");
  return testbed;
}

/** While the operator works for what users did, nobody listens where the API server was. */
function crashes(testbed: CrashableTestbed, component: "etcd" | "kube-apiserver"): Step {
  return ({ api, user, namespace }) => async () => {
    const attempts = api.network.attempts;
    api.network.refuse();
    await testbed.crash(component);
    // Ready says of etcd only that it answers, not that each of the API server's connections to it is back.
    await eventually(
      "reads are answered",
      () => user.list(TABLE_RESOURCE, { namespace }).then(() => true, () => false),
    );
    await eventually("the operator met the outage", () => api.network.attempts > attempts);
    api.network.accept();
  };
}

/** PostgreSQL ends in the middle of a transaction of the operator, which waits for a lock. */
function endsInTransaction(testbed: CrashableTestbed): Step {
  return async ({ database }: Stage) => {
    const reader = database.hold("LOCK TABLE public.apples IN ACCESS SHARE MODE", new Promise(() => {}));
    await reader.held;
    const ended = reader.ended.catch(() => {});
    return async () => {
      await eventually("a transaction of the operator is open", async () => {
        return (await lockWaiters(database.sql)).length > 0;
      });
      await testbed.crash("postgres");
      await ended;
    };
  };
}

const PLANS: Readonly<Record<string, (testbed: CrashableTestbed) => { whileMaking: Step; whileChanging: Step }>> = {
  "the API server and etcd are killed and start again": (testbed) => ({
    whileMaking: crashes(testbed, "kube-apiserver"),
    whileChanging: crashes(testbed, "etcd"),
  }),
  "PostgreSQL is killed in the middle of a transaction and starts again": (testbed) => ({
    whileMaking: () => () => testbed.crash("postgres"),
    whileChanging: endsInTransaction(testbed),
  }),
};

for (const [name, fault] of Object.entries(PLANS)) {
  Deno.test(`servers: ${name}`, async () => {
    const testbed = await startOwnServers();
    assertEquals(await faultsUnder("servers", fault(testbed), { testbed }), []);
  });
}
