import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseCommandLine } from "./config.ts";
import { endsWithProcess, serverNamesOf, webhookTarget } from "./admission/webhook_target.ts";

function parse(...args: readonly string[]) {
  const command = parseCommandLine(args, {});
  if (command.kind !== "run") throw new Error(JSON.stringify(command));
  return command.config;
}

function fault(...args: readonly string[]): string {
  const command = parseCommandLine(args, {});
  return command.kind === "usage" ? command.message : JSON.stringify(command);
}

Deno.test("--webhook-service names a Service, and port 443 unless another is given", () => {
  assertEquals(parse("--webhook-service", "ops/tablewright").webhookService, {
    namespace: "ops",
    name: "tablewright",
    port: 443,
  });
  assertEquals(parse("--webhook-service", "ops/tablewright:8443").webhookService?.port, 8443);
  for (const bad of ["ops", "ops/", "/a", "a/b/c", "a/b:0", "a/b:65536", "A/b", "a/b:x"]) {
    assertStringIncludes(fault("--webhook-service", bad), `--webhook-service must be NAMESPACE/NAME`);
  }
  assertStringIncludes(fault("--webhook-service", "a/b", "--webhook-url", "https://a"), "exclude each other");
});

Deno.test("webhookTarget() uses a loopback address for the embedded cluster only", () => {
  const embedded = { kind: "url", url: "https://127.0.0.1:8443" } as const;
  assertEquals(webhookTarget(parse(), true), embedded);
  assertEquals(webhookTarget(parse(), false), undefined);
  assertEquals(webhookTarget(parse("--webhooks", "off"), true), undefined);
  const service = webhookTarget(parse("--webhook-service", "ops/tw"), false);
  assertEquals(service, { kind: "service", namespace: "ops", name: "tw", port: 443 });
  assertEquals([endsWithProcess(embedded), service !== undefined && endsWithProcess(service)], [true, false]);
});

Deno.test("serverNamesOf() has the name that the API server checks, and ours", () => {
  assertEquals(serverNamesOf({ kind: "service", namespace: "ops", name: "tw" }).dnsNames, [
    "tw.ops.svc",
    "tw.ops",
    "localhost",
  ]);
  assertEquals(serverNamesOf({ kind: "url", url: "https://[::1]:8443" }).ipAddresses, ["127.0.0.1", "::1"]);
  assertEquals(serverNamesOf({ kind: "url", url: "https://a.example:8443/x" }).dnsNames, ["localhost", "a.example"]);
});
