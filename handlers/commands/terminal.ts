/** What a command works with: a terminal, files and the environment. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** To standard output. */
  readonly print: (text: string) => void;
  /** To standard error. */
  readonly warn: (text: string) => void;
  readonly readTextFile: (path: string) => Promise<string>;
  /** The names of the files of a folder; `undefined` if it is none. */
  readonly listFolder: (path: string) => Promise<readonly string[] | undefined>;
  readonly readStdin: () => Promise<string>;
}

/** How a command ends; scripts read these. */
export const EXIT = {
  /** Nothing to do, or done. */
  ok: 0,
  /** It could not be judged or done: one line on standard error says why. */
  failed: 1,
  /** There is something to do, or something was left out. */
  changes: 2,
  /** What was asked for is refused; every fault names its field. */
  refused: 3,
  /** Of sysexits.h: the command line is wrong. */
  usage: 64,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
