import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

Deno.test("manifests/default installs an operator that has exactly the rights it uses", async () => {
  await testInNetworkNamespace(fromFileUrl(new URL("./default_overlay.ts", import.meta.url)));
});
