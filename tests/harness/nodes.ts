import { ensureBinaries } from "../../local/binaries.ts";
import { startNodes } from "../../local/nodes.ts";
import { cacheRoot } from "../../local/state.ts";
import type { Testbed } from "./testbed.ts";

/** A scheduler and a simulated node for a testbed: only files that need Pods to run pay for them. */
export async function startTestNodes(testbed: Testbed): Promise<AsyncDisposable> {
  const { signal } = new AbortController();
  const report = (line: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  const binaries = await ensureBinaries({ cacheRoot: cacheRoot(), env: Deno.env.toObject(), report }, signal);
  const directory = await Deno.makeTempDir({ prefix: "tablewright-nodes-" });
  const { server, certificateAuthority, clientCertificate, clientKey, kubeconfigPath } = testbed;
  const cluster = { server, certificateAuthority, clientCertificate, clientKey };
  const nodes = await startNodes({ directory, binaries, kubeconfigPath, cluster, report }, signal);
  return {
    async [Symbol.asyncDispose]() {
      await nodes.stop();
      await Deno.remove(directory, { recursive: true });
    },
  };
}
