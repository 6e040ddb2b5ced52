import { assertEquals, assertStringIncludes } from "@std/assert";
import { parseCommand, type ParsedCommand } from "./parse_command.ts";

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
  assertEquals(parse("plan -f a.yaml --filename b -f - -o json -n shop"), {
    kind: "plan",
    options: { ...options, output: "json" },
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

Deno.test("whatever is no command goes to run, and an unknown one is a usage error", () => {
  assertEquals(parse("-q").kind, "run");
  assertEquals(parse("run -n a").kind, "run");
  assertStringIncludes(usageOf("plot"), 'unknown argument "plot"');
});

Deno.test("version names the commit that the environment carries", () => {
  const command = parseCommand(["version"], { TABLEWRIGHT_COMMIT: "abc" });
  assertEquals(command, { kind: "version", text: "tablewright 0.1.0 (commit abc)" });
});
