import { assertEquals, assertStringIncludes } from "@std/assert";
import { compileArguments, describeFailure, outputOf, TARGETS } from "./compile_plan.ts";

Deno.test("compileArguments() bakes in the one permission set and no other permission", () => {
  for (const target of [undefined, ...TARGETS]) {
    const build = {
      output: outputOf(target),
      envFile: "commit.env",
      excluded: [],
      ...(target === undefined ? {} : { target }),
    };
    const args = compileArguments(build);
    assertEquals(args.filter((arg) => /^--allow|^-A|permission/.test(arg)), ["--permission-set=operator"]);
    assertEquals(args.includes("--no-prompt"), true);
  }
});

Deno.test("describeFailure() is one line for a base runtime that cannot be had, whatever the reason", () => {
  const offline =
    "Download https://dl.deno.land/release/v2.9.6/denort.zip\n\u001b[31merror\u001b[0m: error sending request\n" +
    "Stack backtrace:\n   0: <unknown>";
  const missing = "error: Could not find denort at '/x'\n    1: No such file or directory (os error 2)";
  for (const stderr of [offline, missing]) {
    const line = describeFailure(stderr, "2.9.6");
    assertEquals(line.split("\n").length, 1);
    assertStringIncludes(line, "set DENORT_BIN to the denort of Deno 2.9.6");
  }
});

Deno.test("describeFailure() keeps every other failure whole", () => {
  assertEquals(
    describeFailure("error: Module not found\n  at main.ts\n", "2.9.6"),
    "error: Module not found\n  at main.ts",
  );
});
