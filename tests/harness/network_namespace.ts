import { assertEquals } from "@std/assert";
import { TESTBED_VARIABLE } from "./testbed.ts";

/** The address of whoever plays a Pod: the API server refuses loopback addresses as endpoints. */
export const POD_ADDRESS = "10.77.0.1";

/** The bridge makes an address that nobody outside can reach. */
const SET_UP =
  `ip link set lo up && ip link add tw0 type bridge && ip address add ${POD_ADDRESS}/24 dev tw0 && ip link set tw0 up`;

/**
 * Runs a file of tests in a network namespace of its own, and fails with its output if one of them fails.
 *
 * @returns what it printed.
 */
export async function testInNetworkNamespace(path: string): Promise<string> {
  const script = `${SET_UP} && exec "$0" test --allow-all --no-check "$1"`;
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["--net", "sh", "-c", script, Deno.execPath(), path],
    // What other files of tests share is out of reach in there.
    env: { [TESTBED_VARIABLE]: "" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(success, true, output);
  return output;
}
