import { join } from "@std/path";
import { type ClusterConfig, KubeClient } from "../../kube/client/client.ts";
import { ensureBinaries } from "../../local/binaries.ts";
import { startControlPlane } from "../../local/control_plane.ts";
import { findFreePort } from "../../local/ports.ts";
import { cacheRoot } from "../../local/state.ts";

/** A control plane of its own, for one file of tests. */
export interface TestCluster {
  readonly config: ClusterConfig;
  readonly kubeconfigPath: string;
  /** As an administrator, straight to the API server. */
  readonly client: KubeClient;
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestCluster(): Promise<TestCluster> {
  const signal = new AbortController().signal;
  const env = Deno.env.toObject();
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env, report: () => {} }, signal);
  const directory = await Deno.makeTempDir({ prefix: "tablewright-kube-" });
  const ports = { etcd: findFreePort(), etcdPeer: findFreePort(), apiServer: findFreePort() };
  const plane = await startControlPlane({ directory: join(directory, "plane"), binaries, ports }, signal);
  const { server, certificateAuthority, clientCertificate, clientKey } = plane;
  const config = { server, certificateAuthority, clientCertificate, clientKey };
  const client = new KubeClient(config);
  return {
    config,
    kubeconfigPath: plane.kubeconfigPath,
    client,
    stopApiServer: () => plane.stopApiServer(),
    startApiServer: () => plane.startApiServer(),
    async stop() {
      client.close();
      await plane.stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}
