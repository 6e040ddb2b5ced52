/** One binary to make. */
export interface Build {
  /** Absent: this machine. */
  readonly target?: string;
  /** The file. */
  readonly output: string;
  /** A file of variables that the binary carries. */
  readonly envFile: string;
  /** Folders of packages that the operator does not reach: see `selfTestFolders()`. */
  readonly excluded: readonly string[];
}

/** The platforms of `deno compile`. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

/**
 * The arguments of `deno`: the permissions are those of the set `operator` in deno.json, and nobody is ever asked for more; of the
 * npm packages only the reached ones go in.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * const args = compileArguments({ output: "dist/tablewright", envFile: "commit.env", excluded: [] });
 * assertEquals([args[0], args.at(-1)], ["compile", "main.ts"]);
 * ```
 */
export function compileArguments({ target, output, envFile, excluded }: Build): readonly string[] {
  return [
    "compile",
    "--no-check",
    "--frozen",
    "--exclude-unused-npm",
    // As in the image: garbage goes sooner.
    "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=50",
    "--permission-set=operator",
    "--no-prompt",
    `--env-file=${envFile}`,
    ...excluded.map((folder) => `--exclude=${folder}`),
    ...(target === undefined ? [] : [`--target=${target}`]),
    `--output=${output}`,
    "main.ts",
  ];
}

/** `dist/tablewright`, or `dist/tablewright-<target>`. Windows wants its suffix, which Deno adds. */
export function outputOf(target: string | undefined): string {
  return target === undefined ? "dist/tablewright" : `dist/tablewright-${target}`;
}

const NO_RUNTIME = /denort|dl\.deno\.land|dns error|error sending request|client error \(connect\)/i;
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** What went wrong, in one line where it is the base runtime that Deno could not fetch. Pure. */
export function describeFailure(stderr: string, denoVersion: string): string {
  const plain = stderr.replaceAll(COLOUR, "").trim();
  if (!NO_RUNTIME.test(plain)) return plain;
  const reason = plain.split("\n").map((line) => line.replace(/^\s*(?:error:|\d+:)\s*/, "").trim())
    .find((line) => line !== "" && NO_RUNTIME.test(line)) ?? "it is not there";
  return `Cannot compile: the base runtime could not be had (${reason}); set DENORT_BIN to the denort of Deno ${denoVersion}`;
}
