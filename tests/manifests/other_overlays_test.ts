import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

Deno.test("manifests/single and manifests/cert-manager are accepted, and work", async () => {
  await testInNetworkNamespace(fromFileUrl(new URL("./other_overlays.ts", import.meta.url)));
});
