import { assertEquals } from "@std/assert";
import { isLocalAddress } from "./local_address.ts";

Deno.test("isLocalAddress() knows the machine itself, its neighbours, and what is no address", () => {
  const local = [
    ...["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1"],
    ...["fe80::1", "FEBF::1", "/run/postgresql", "localhost", ""],
  ];
  assertEquals(local.filter((each) => !isLocalAddress(each)), []);
});

Deno.test("isLocalAddress() lets addresses of servers pass", () => {
  const servers = ["10.0.0.7", "192.168.1.1", "172.16.0.1", "8.8.8.8", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1"];
  assertEquals(servers.filter(isLocalAddress), []);
});
