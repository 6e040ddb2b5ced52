import { assertEquals } from "@std/assert";
import { errorFromResponse, errorFromStatus, KubeError } from "./kube_error.ts";

const busy = { kind: "Status", code: 429, reason: "TooManyRequests", message: "slow down" };

async function waitOf(header: string, body: unknown = busy): Promise<number | undefined> {
  const response = new Response(JSON.stringify(body), { status: 429, headers: { "retry-after": header } });
  return (await errorFromResponse(response)).retryAfterMs;
}

Deno.test("KubeError tells how long the server asks to wait, and a minute at most", async () => {
  assertEquals(await waitOf("1"), 1_000);
  assertEquals(await waitOf("60"), 60_000);
  for (const endless of ["61", "999999", "9".repeat(400)]) assertEquals(await waitOf(endless), 60_000, endless);
  assertEquals(new KubeError("busy", { status: 503, reason: "Busy", retryAfterMs: 999_999_000 }).retryAfterMs, 60_000);
});

Deno.test("KubeError takes a Retry-After that names no wait for none, so that the caller's own backoff holds", async () => {
  for (const empty of ["0", "00", "-5", "1.5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"]) {
    assertEquals(await waitOf(empty), undefined, empty);
  }
  assertEquals(new KubeError("busy", { status: 503, reason: "Busy", retryAfterMs: 0 }).retryAfterMs, undefined);
});

Deno.test("KubeError reads the time to wait from the Status where the header names none", async () => {
  assertEquals(await waitOf("0", { ...busy, details: { retryAfterSeconds: 7 } }), 7_000);
  assertEquals(await waitOf("3", { ...busy, details: { retryAfterSeconds: 7 } }), 3_000);
  const ended = (retryAfterSeconds: number) => errorFromStatus({ details: { retryAfterSeconds } }, { code: 500 });
  assertEquals([-1, 0, 2, 86_400].map((seconds) => ended(seconds).retryAfterMs), [undefined, undefined, 2_000, 60_000]);
});
