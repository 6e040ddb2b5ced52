import { assertEquals, assertThrows } from "@std/assert";
import { StartError } from "../errors.ts";
import { listen, type ListenOptions } from "./listen.ts";

const LISTENING = { flag: "--webhook-port", port: 8443 };

function refusing(refusals: Readonly<Record<string, Error>>) {
  const tried: string[] = [];
  const serve = ({ hostname }: ListenOptions) => {
    tried.push(hostname);
    const refusal = refusals[hostname];
    if (refusal !== undefined) throw refusal;
    return hostname;
  };
  return { tried, serve };
}

Deno.test("without an address all of IPv6 and IPv4 is listened to, and IPv4 alone where there is no IPv6", () => {
  assertEquals(listen(LISTENING, refusing({}).serve), "::");
  const noFamily = new Error("Address family not supported by protocol (os error 97)");
  for (const refusal of [noFamily, new Deno.errors.AddrNotAvailable("os error 99")]) {
    assertEquals(listen(LISTENING, refusing({ "::": refusal }).serve), "0.0.0.0");
  }
});

Deno.test("a port that is taken is no missing IPv6, and an address that was given is the only one", () => {
  const taken = refusing({ "::": new Deno.errors.AddrInUse("os error 98") });
  assertThrows(
    () => listen(LISTENING, taken.serve),
    StartError,
    "Cannot listen on port 8443: it is in use; choose another with --webhook-port",
  );
  assertEquals(taken.tried, ["::"]);
  const foreign = refusing({ "192.0.2.1": new Deno.errors.AddrNotAvailable("os error 99") });
  assertThrows(() => listen({ ...LISTENING, hostname: "192.0.2.1" }, foreign.serve), StartError, "does not have");
  assertEquals(foreign.tried, ["192.0.2.1"]);
});
