import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseCommand, type ParsedCommand, parseServe } from "./parse_command.ts";

function parse(line: string): ParsedCommand {
  return parseCommand(line.split(" ").filter((word) => word !== ""), {});
}

function usageOf(line: string): string {
  const command = parse(line);
  return command.kind === "usage" ? command.message : `no usage error but ${command.kind}`;
}

Deno.test("plan takes files, folders and standard input", () => {
  const options = {
    files: ["a.yaml", "b", "-"],
    output: "json",
    namespace: "shop",
    allowedFunctions: new Set<string>(),
  };
  assertEquals(parse("plan -f a.yaml --filename b -f - -o json -n shop"), { kind: "plan", options });
  assertEquals(parse("plan -f a.yaml --filename b -f - -o json -n shop --server orders"), {
    kind: "plan",
    options: { ...options, server: "orders" },
  });
});

Deno.test("plan without a file, with a stray word or an unknown output is a usage error", () => {
  assertStringIncludes(usageOf("plan"), "-f needs a file");
  assertStringIncludes(usageOf("plan a.yaml"), 'unknown argument "a.yaml"');
  assertStringIncludes(usageOf("plan -f a -o yaml"), '--output must be text or json: current value is "yaml"');
  assertStringIncludes(usageOf("plan -f a --all"), "unknown flag --all; see tablewright plan --help");
});

Deno.test("import folds the schema and keeps tables as they are written", () => {
  const options = { schema: "shop", tables: ["Users", '"User"', "1"], allowedFunctions: new Set<string>() };
  assertEquals(parse('import --schema Shop Users "User" 1'), { kind: "import", options });
  assertStringIncludes(usageOf("import --schema a.b"), "--schema: ");
});

Deno.test("uninstall removes nothing unless it is told to", () => {
  const options = (line: string) => {
    const command = parse(line);
    return command.kind === "uninstall" ? { ...command.options, context: command.config.context } : command;
  };
  const nothing = { instance: "tablewright", yes: false, force: false, context: undefined };
  assertEquals(options("uninstall"), nothing);
  assertEquals(options("uninstall -y --instance a --context b"), {
    ...nothing,
    yes: true,
    instance: "a",
    context: "b",
  });
});

Deno.test("every command has its help", () => {
  for (const name of ["plan", "import", "uninstall"]) {
    for (const line of [`${name} --help`, `help ${name}`, `${name} -h`]) {
      const command = parse(line);
      assertEquals(command.kind, "help");
      assertStringIncludes(command.kind === "help" ? command.text : "", `Usage: tablewright ${name}`);
    }
  }
});

Deno.test("serve takes tokens and functions, and no flag of the loop", () => {
  const env = { TABLEWRIGHT_ALLOW_FUNCTION: "app.slug, App.Other" };
  assertEquals(parseServe(["--allow-function", "app.f", "--webhook-token-file", "/t"], env), {
    kind: "serve",
    options: { allowedFunctions: new Set(["app.f", "app.slug", "app.other"]), webhookTokenFile: "/t" },
  });
  const messages = [["-n", "a"], ["extra"], ["--allow-function", "f"]].map((args) => {
    const command = parseServe(args, {});
    return command.kind === "usage" ? command.message : command.kind;
  });
  assertEquals(messages, [
    "unknown flag -n; see deno task serve --help",
    'unknown argument "extra"; see deno task serve --help',
    '--allow-function must be a schema and a name with a dot between them: current value is "f"; see deno task serve --help',
  ]);
});

Deno.test("functions that the environment allows are those of every command, and a bad one names the variable", () => {
  const env = { TABLEWRIGHT_ALLOW_FUNCTION: "app.slug" };
  for (const args of [["run"], ["plan", "-f", "a"], ["import"]]) {
    const command = parseCommand(args, env);
    const functions = command.kind === "run"
      ? command.config.allowedFunctions
      : "options" in command && "allowedFunctions" in command.options
      ? command.options.allowedFunctions
      : undefined;
    assertEquals(functions, new Set(["app.slug"]), args[0]);
    const bad = parseCommand(args, { TABLEWRIGHT_ALLOW_FUNCTION: "slug" });
    assertStringIncludes(bad.kind === "usage" ? bad.message : bad.kind, "TABLEWRIGHT_ALLOW_FUNCTION must be a schema");
  }
});

Deno.test("whatever is no command goes to run, and an unknown one is a usage error", () => {
  assertEquals(parse("-q").kind, "run");
  assertEquals(parse("run -n a").kind, "run");
  assertStringIncludes(usageOf("plot"), 'unknown argument "plot"');
});

Deno.test("version names the commit that the environment carries", () => {
  const command = parseCommand(["version"], { TABLEWRIGHT_COMMIT: "abc" });
  assertEquals(command, { kind: "version", text: "tablewright 0.1.0 (commit abc)" });
});
