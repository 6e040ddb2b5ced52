import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "./harness/network_namespace.ts";

Deno.test("webhooks through a Service, in a network namespace of their own", async () => {
  const file = fromFileUrl(new URL("./service/service_path.ts", import.meta.url));
  const output = await testInNetworkNamespace(file);
  Deno.stdout.writeSync(new TextEncoder().encode(`${output.match(/^through the Service.*$/m)?.[0] ?? output}\n`));
});
