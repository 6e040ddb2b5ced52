import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

/** Each on a cluster of its own, in a network namespace in which the API server reaches the operator through its Service. */
const FILES = {
  "manifests/default installs an operator that has exactly the rights it uses": "default_overlay.ts",
  "manifests/namespaced installs an operator with a Role alone": "namespaced_overlay.ts",
  "manifests/single and manifests/cert-manager are accepted, and work": "other_overlays.ts",
};

for (const [sentence, file] of Object.entries(FILES)) {
  Deno.test(sentence, async () => {
    await testInNetworkNamespace(fromFileUrl(new URL(`./${file}`, import.meta.url)));
  });
}
