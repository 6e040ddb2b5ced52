import { assertEquals } from "@std/assert";
import { findFreePort, isPortFree } from "../../local/ports.ts";

const ASKS = `const { findFreePort } = await import("${new URL("../../local/ports.ts", import.meta.url)}");
console.log(JSON.stringify(Array.from({ length: 200 }, findFreePort)));
await Deno.stdin.read(new Uint8Array(1));`;

/** A process that has asked for 200 ports and lives on. */
async function asker(): Promise<{ ports: readonly number[]; end(): Promise<void> }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", ASKS],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "[]" } = await lines.read();
  return {
    ports: JSON.parse(value) as readonly number[],
    async end() {
      await lines.cancel();
      await child.stdin.close();
      await child.status;
    },
  };
}

Deno.test("processes that ask at the same time never get the same port", async () => {
  const askers = await Promise.all(Array.from({ length: 8 }, asker));
  const ports = askers.flatMap((each) => each.ports);
  assertEquals(ports.length, 1_600);
  assertEquals(new Set(ports).size, ports.length);
  await Promise.all(askers.map((each) => each.end()));
});

Deno.test("a port that somebody else has taken is not found", () => {
  const first = findFreePort();
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: first + 1 });
  assertEquals(isPortFree(first + 1), false);
  assertEquals(findFreePort() === first + 1, false);
});
