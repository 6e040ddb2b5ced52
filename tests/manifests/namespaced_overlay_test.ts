import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

Deno.test("manifests/namespaced installs an operator with a Role alone", async () => {
  await testInNetworkNamespace(fromFileUrl(new URL("./namespaced_overlay.ts", import.meta.url)));
});
