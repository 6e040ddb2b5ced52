import { assertEquals } from "@std/assert";
import { type Config, HELP, parseCommandLine } from "./config.ts";

function configOf(args: readonly string[], env: Record<string, string> = {}): Config | undefined {
  const command = parseCommandLine(args, env);
  return command.kind === "run" ? command.config : undefined;
}

function messageOf(args: readonly string[], env: Record<string, string> = {}): string {
  const command = parseCommandLine(args, env);
  return command.kind === "usage" ? command.message : `no fault: ${command.kind}`;
}

Deno.test("parseCommandLine() runs with kopf's defaults when nothing is said", () => {
  const config = configOf([]);
  assertEquals(config?.namespaces, []);
  assertEquals(config?.webhookPort, 8443);
  assertEquals(config?.httpPort, 8080);
  assertEquals(config?.instance, "tablewright");
});

Deno.test("parseCommandLine() takes namespaces from repeated flags, else from WATCH_NAMESPACE", () => {
  assertEquals(configOf(["-n", "a", "--namespace", "b", "-n", "a"])?.namespaces, ["a", "b"]);
  assertEquals(configOf([], { WATCH_NAMESPACE: "a, b" })?.namespaces, ["a", "b"]);
  assertEquals(configOf(["-A"], { WATCH_NAMESPACE: "a" })?.namespaces, []);
});

Deno.test("parseCommandLine() takes the least level that is logged from -v, -d and -q, and the format from --log-format", () => {
  const levels = [[], ["-v"], ["--debug"], ["-q"], ["-q", "-d"]].map((flags) => configOf(flags)?.logLevel);
  assertEquals(levels, ["info", "debug", "debug", "warning", "debug"]);
  const formats = [[], ["--log-format", "full"], ["--log-format=json"]].map((flags) => configOf(flags)?.logFormat);
  assertEquals(formats, ["plain", "full", "json"]);
  assertEquals(
    messageOf(["--log-format", "xml"]),
    `--log-format must be one of plain, full, json: current value is "xml"; see --help`,
  );
});

Deno.test("parseCommandLine() takes how many objects are in work at the same time from --max-concurrent-reconciles", () => {
  assertEquals(
    [configOf([]), configOf(["--max-concurrent-reconciles", "1"])].map((each) => each?.maxConcurrentReconciles),
    [
      10,
      1,
    ],
  );
  for (const bad of ["0", "-1", "1001", "2.5", "many"]) {
    assertEquals(
      messageOf([`--max-concurrent-reconciles=${bad}`]),
      `--max-concurrent-reconciles must be a whole number from 1 to 1000: current value is "${bad}"; see --help`,
    );
  }
});

Deno.test("parseCommandLine() names the fault of every bad flag in one line", () => {
  assertEquals(messageOf(["--nope"]), "unknown flag --nope; see --help");
  assertEquals(messageOf(["-n", "a", "-A"]), "-n and -A exclude each other; see --help");
  assertEquals(messageOf(["-n", "team-*"]), `"team-*" is not the name of a namespace (no globs); see --help`);
  assertEquals(
    messageOf(["--webhook-port", "80x"]),
    `--webhook-port must be a whole number from 1 to 65535: current value is "80x"; see --help`,
  );
  assertEquals(
    messageOf(["--webhook-url", "http://x"]),
    `--webhook-url must be an https:// address without query: current value is "http://x"; see --help`,
  );
  assertEquals(messageOf(["--context"]), "--context needs a value; see --help");
  assertEquals(messageOf(["frobnicate"]), `unknown argument "frobnicate"; see --help`);
});

Deno.test("parseCommandLine() names an instance after the host when it registers a URL", () => {
  assertEquals(
    configOf(["--webhook-url", "https://me:8443/"], { HOSTNAME: "My.Laptop" })?.instance,
    "tablewright-my-laptop",
  );
  assertEquals(configOf(["--webhook-url", "https://me:8443/"])?.webhookUrl, "https://me:8443");
});

Deno.test("parseCommandLine() takes functions with their schema from --allow-function, folded as in SQL", () => {
  const config = configOf(["--allow-function", "App.Slug", "--allow-function", 'app."Mixed"']);
  assertEquals([...config?.allowedFunctions ?? []], ["app.slug", "app.Mixed"]);
  assertEquals(configOf([])?.allowedFunctions.size, 0);
  for (const bad of ["slug", "a.b.c", "app.", ".slug", "app.slug()"]) {
    assertEquals(
      messageOf(["--allow-function", bad]),
      `--allow-function must be a schema and a name with a dot between them: current value is "${bad}"; see --help`,
    );
  }
});

Deno.test("parseCommandLine() answers --help and version", () => {
  assertEquals(parseCommandLine(["--help"], {}).kind, "help");
  assertEquals(parseCommandLine(["version"], {}), { kind: "version", text: "tablewright 0.1.0 (commit unknown)" });
});

Deno.test("parseCommandLine() takes the address for health from kopf's --liveness", () => {
  const addressOf = (url: string) => {
    const config = configOf(["-L", url]);
    return [config?.httpHost, config?.httpPort];
  };
  assertEquals(addressOf("http://0.0.0.0:8081/healthz"), ["0.0.0.0", 8081]);
  assertEquals(addressOf("http://[::1]:9000"), ["::1", 9000]);
  assertEquals(addressOf("http://127.0.0.1/"), ["127.0.0.1", 80]);
  for (const bad of ["https://x:1", "8080", "http://x:1/other", "http://x:1/?a", "http://x:99999", "http://x:0"]) {
    assertEquals(
      messageOf(["--liveness", bad]),
      `--liveness must be http://HOST:PORT, which then answers on /healthz: current value is "${bad}"; see --help`,
    );
  }
  assertEquals(
    messageOf(["-L", "http://x:1", "--http-port", "2"]),
    "--liveness and --http-port exclude each other; see --help",
  );
});

Deno.test("parseCommandLine() turns the election off outside a Pod, unless somebody says where the replicas meet", () => {
  const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1" };
  const electionOf = (args: readonly string[], env: Record<string, string>) => {
    const config = configOf(args, env);
    return [config?.standalone, config?.leaderElectionNamespace];
  };
  assertEquals(electionOf([], {}), [true, undefined]);
  assertEquals(electionOf([], { POD_NAMESPACE: "a" }), [true, undefined]);
  assertEquals(electionOf(["--leader-election-namespace", "b"], { POD_NAMESPACE: "a" }), [false, "b"]);
  assertEquals(electionOf([], pod), [false, undefined]);
  assertEquals(electionOf([], { ...pod, POD_NAMESPACE: "a" }), [false, "a"]);
  assertEquals(electionOf(["--standalone"], { ...pod, POD_NAMESPACE: "a" }), [true, undefined]);
  assertEquals(
    messageOf(["--standalone", "--leader-election-namespace", "a"]),
    "--standalone and --leader-election-namespace exclude each other; see --help",
  );
  assertEquals(
    messageOf(["--leader-election-namespace", "Team A"]),
    `"Team A" is not the name of a namespace (no globs); see --help`,
  );
});

Deno.test("parseCommandLine() refuses an empty -n, which would otherwise watch everything", () => {
  for (const args of [["-n", ""], ["-n", "a", "-n"], ["--namespace="], ["-n", "a", "--namespace="]]) {
    assertEquals(parseCommandLine(args, {}).kind, "usage", args.join(" "));
  }
});

Deno.test("--help names every flag that is taken, and all that --no-crds leaves out", () => {
  const known = HELP.matchAll(/--([a-z-]+)/g).map(([flag]) => flag).toArray();
  for (
    const flag of ["--standalone", "--liveness", "--dev", "--reset", "--verbose", "--debug", "--quiet", "--instance"]
  ) {
    assertEquals(known.includes(flag), true, flag);
  }
  for (const flag of new Set(known)) assertEquals(messageOf([flag]).includes("unknown flag"), false, flag);
  assertEquals(/--no-crds +install neither .* nor the static policy/.test(HELP), true);
});

Deno.test("parseCommandLine() takes the addresses of Databases that are not reached through their Service", () => {
  const command = parseCommandLine(["--database-address", "a/b=127.0.0.1:1", "--database-address=c/d=[::1]:5432"], {});
  assertEquals(
    command.kind === "run" ? [...command.config.databaseAddresses] : [],
    [["a/b", "127.0.0.1:1"], ["c/d", "[::1]:5432"]],
  );
  for (const bad of ["a/b", "a=h:1", "a/b=h", "a/b=u:p@h:1"]) {
    assertEquals(messageOf(["--database-address", bad]).includes("NAMESPACE/NAME=HOST:PORT"), true, bad);
  }
});
