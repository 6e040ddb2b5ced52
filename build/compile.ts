/** `deno task compile` and `compile:all`: one binary a platform, in `dist/`. */
// deno-lint-ignore-file no-console
import { fromFileUrl } from "@std/path";
import { selfTestFolders } from "./self_tests.ts";
import { type Build, compileArguments, describeFailure, outputOf, TARGETS } from "./compile_plan.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** Of the clone; whoever builds without one names it. */
async function readCommit(): Promise<string> {
  const given = Deno.env.get("TABLEWRIGHT_COMMIT");
  if (given !== undefined && given !== "") return given;
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["rev-parse", "HEAD"],
      cwd: ROOT,
      stderr: "null",
    })
      .output();
    return success ? new TextDecoder().decode(stdout).trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** @returns what went wrong; `undefined` if nothing did. */
async function compile(build: Build): Promise<string | undefined> {
  const command = new Deno.Command(Deno.execPath(), { args: [...compileArguments(build)], cwd: ROOT, stderr: "piped" });
  const { success, stderr } = await command.output();
  return success ? undefined : describeFailure(new TextDecoder().decode(stderr), Deno.version.deno);
}

async function compileAll(targets: readonly (string | undefined)[]): Promise<boolean> {
  const excluded = await selfTestFolders();
  const envFile = await Deno.makeTempFile({ prefix: "tablewright-", suffix: ".env" });
  try {
    await Deno.writeTextFile(envFile, `TABLEWRIGHT_COMMIT=${await readCommit()}\n`);
    for (const target of targets) {
      const output = outputOf(target);
      const failure = await compile({ output, envFile, excluded, ...(target === undefined ? {} : { target }) });
      // The other platforms would fail in the same way.
      if (failure !== undefined) {
        console.error(failure);
        return false;
      }
      console.log(output);
    }
    return true;
  } finally {
    await Deno.remove(envFile);
  }
}

Deno.exit(await compileAll(Deno.args.includes("--all") ? TARGETS : [undefined]) ? 0 : 1);
