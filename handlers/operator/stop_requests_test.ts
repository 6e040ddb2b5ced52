import { assertEquals } from "@std/assert";
import { countStopRequests } from "./stop_requests.ts";

Deno.test("countStopRequests() takes what comes within a second for one request, and forces on a later one", () => {
  const calls: string[] = [];
  let now = 5_000;
  const request = countStopRequests(
    { onStop: () => calls.push("stop"), onForce: () => calls.push("force") },
    () => now,
  );
  request();
  request();
  now += 1_000;
  request();
  assertEquals(calls, ["stop"]);
  now += 1;
  request();
  assertEquals(calls, ["stop", "force"]);
});
