import { fromFileUrl } from "@std/path";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

for (const name of ["service_path.ts", "leaving_replica.ts"]) {
  Deno.test(`webhooks through a Service, in a network namespace of their own: ${name}`, async () => {
    const output = await testInNetworkNamespace(fromFileUrl(new URL(`./${name}`, import.meta.url)));
    Deno.stdout.writeSync(new TextEncoder().encode(`${output.match(/^through the Service.*$/m)?.[0] ?? output}\n`));
  });
}
