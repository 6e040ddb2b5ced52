import { systemTerminal } from "../../handlers/commands/system_terminal.ts";
import type { Terminal } from "../../handlers/commands/terminal.ts";

/** A terminal whose words are kept. */
export interface CapturedTerminal extends Terminal {
  readonly stdout: string[];
  readonly stderr: string[];
}

/** Reads real files; standard input is the text. */
export function captureTerminal(env: Terminal["env"], stdin = ""): CapturedTerminal {
  const stdout: string[] = [];
  const stderr: string[] = [];
  return {
    ...systemTerminal(env),
    stdout,
    stderr,
    print: (text) => stdout.push(text),
    warn: (text) => stderr.push(text),
    readStdin: () => Promise.resolve(stdin),
  };
}
