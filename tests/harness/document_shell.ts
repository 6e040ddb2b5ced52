import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { DocumentedCommand } from "./documented_commands.ts";
import type { Answer } from "./kubectl.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

export interface ShellOptions {
  /** Where commands are typed. */
  readonly folder: string;
  readonly kubectlPath: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a reader does with a command beside typing it. */
export interface Typing {
  /** Words in capitals, and what stands for them here: `NAME`. */
  readonly words?: Readonly<Record<string, string>>;
  /** Exit code; default 0. */
  readonly code?: number;
}

/** Types the commands of documents, as they are written, into a shell of its own. */
export class DocumentShell implements AsyncDisposable {
  readonly #options: ShellOptions;
  readonly #programs: string;

  private constructor(options: ShellOptions, programs: string) {
    this.#options = options;
    this.#programs = programs;
  }

  /** Programs that the documents name are those of this test: the same kubectl, the operator from its sources, this Deno. */
  static async open(options: ShellOptions): Promise<DocumentShell> {
    const programs = await Deno.makeTempDir({ prefix: "tablewright-programs-" });
    const { kubectlPath } = options;
    const deno = Deno.execPath();
    const operator =
      `run --quiet --no-check --config=${ROOT}deno.json --permission-set=operator --no-prompt ${ROOT}main.ts`;
    const scripts = {
      kubectl: `exec ${kubectlPath} "$@"`,
      tablewright: `exec ${deno} ${operator} "$@"`,
      // A registry would be asked for what is there already.
      npx: `[ "$1 $2" = "-y deno@${Deno.version.deno}" ] || exit 64; shift 2; exec ${deno} "$@"`,
    };
    for (const [name, body] of Object.entries(scripts)) {
      const path = join(programs, name);
      await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`);
      await Deno.chmod(path, 0o755);
    }
    return new DocumentShell(options, programs);
  }

  /** A command that ends by itself; what the document shows below it must be what it prints. */
  async type(command: DocumentedCommand, { words = {}, code: wanted = 0 }: Typing = {}): Promise<Answer> {
    const { file, line, output } = command;
    const answer = await this.#run(replaceWords(command.text, words));
    const { code, stdout, stderr } = answer;
    assertEquals(code, wanted, `${file}:${line}: ${command.text}\n${stderr}${stdout}`);
    if (output !== undefined) assertEquals(trimLines(`${stderr}${stdout}`), output, `${file}:${line}`);
    return answer;
  }

  /** A command that goes on until it is stopped. */
  start({ text }: DocumentedCommand): Deno.ChildProcess {
    // In a session of its own, so that Ctrl-C reaches whatever the shell started.
    return new Deno.Command("setsid", {
      args: ["sh", "-c", `exec ${text}`],
      ...this.#settings(),
      stdout: "piped",
      stderr: "piped",
    })
      .spawn();
  }

  async #run(text: string): Promise<Answer> {
    const command = new Deno.Command("sh", { args: ["-c", text], ...this.#settings() });
    const { code, stdout, stderr } = await command.output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  #settings(): Deno.CommandOptions {
    const { folder, env } = this.#options;
    const path = `${this.#programs}:${Deno.env.get("PATH") ?? ""}`;
    return { cwd: folder, env: { NO_COLOR: "1", ...env, PATH: path }, stdin: "null" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#programs, { recursive: true });
  }
}

function replaceWords(text: string, words: Readonly<Record<string, string>>): string {
  return Object.entries(words).reduce((written, [word, value]) => {
    const pattern = new RegExp(`(?<![\\w$])${RegExp.escape(word)}(?!\\w)`, "g");
    return written.replaceAll(pattern, () => value);
  }, text);
}

function trimLines(text: string): string {
  return text.split("\n").map((line) => line.trimEnd()).join("\n").trim();
}
