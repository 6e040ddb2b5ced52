import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

/** The API server refuses loopback addresses as endpoints; the bridge makes one that nobody outside can reach. */
const SET_UP =
  "ip link set lo up && ip link add tw0 type bridge && ip address add 10.77.0.1/24 dev tw0 && ip link set tw0 up";

for (const file of ["service_path.ts", "leaving_replica.ts"]) {
  Deno.test(`webhooks through a Service, in a network namespace of their own: ${file}`, async () => {
    const path = fromFileUrl(new URL(`./service/${file}`, import.meta.url));
    const script = `${SET_UP} && exec "$0" test --allow-all --no-check "$1"`;
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--net", "sh", "-c", script, Deno.execPath(), path],
      // What the others share is out of reach in there.
      env: { TABLEWRIGHT_TESTBED: "" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    assertEquals(success, true, output);
    Deno.stdout.writeSync(new TextEncoder().encode(`${output.match(/^through the Service.*$/m)?.[0] ?? output}\n`));
  });
}
