import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** A command that a document shows. */
export interface DocumentedCommand {
  /** Of the repository: `docs/operations.md`. */
  readonly file: string;
  /** Under which it stands. */
  readonly heading: string;
  readonly line: number;
  /** As written, comment included, continued lines joined. */
  readonly text: string;
  /** What a `console` block shows below it. */
  readonly output?: string;
  /** What its comment, or the one above it, says it needs: no test can run it. */
  readonly needs?: string;
}

interface Line {
  readonly text: string;
  /** Of the file, from 1. */
  readonly number: number;
}

interface Block {
  readonly language: string;
  readonly heading: string;
  readonly lines: readonly Line[];
}

/**
 * The commands of the fenced blocks `sh`, whole, and `console`, behind `$ `, in the order of the file. Pure.
 *
 * @param file Its name.
 */
export function parseCommands(file: string, markdown: string): readonly DocumentedCommand[] {
  return blocksOf(markdown).flatMap(({ language, heading, lines }) => {
    const parse = language === "sh" ? shellCommands : language === "console" ? consoleCommands : undefined;
    return (parse?.(lines) ?? []).map((command) => ({ file, heading, ...command }));
  });
}

function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { readonly language: string; readonly indent: number; readonly lines: Line[] } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const fence = /^( *)```(\w*)/.exec(text);
    if (fence === null) {
      if (open !== undefined) open.lines.push({ text: text.slice(open.indent), number: index + 1 });
      else heading = /^#+ (.*)$/.exec(text)?.[1] ?? heading;
    } else if (open === undefined) {
      open = { language: fence[2] ?? "", indent: (fence[1] ?? "").length, lines: [] };
    } else {
      blocks.push({ language: open.language, heading, lines: open.lines });
      open = undefined;
    }
  }
  return blocks;
}

type Found = Pick<DocumentedCommand, "line" | "text" | "output" | "needs">;

function shellCommands(lines: readonly Line[]): readonly Found[] {
  const found: Found[] = [];
  let comment = "";
  for (const { text, number } of joinLines(lines)) {
    if (/^\s*#/.test(text)) {
      comment = text;
      continue;
    }
    if (text.trim() !== "") found.push({ line: number, text, ...needsOf(comment, /\s#\s(.*)$/.exec(text)?.[1] ?? "") });
    comment = "";
  }
  return found;
}

function needsOf(...comments: readonly string[]): Pick<DocumentedCommand, "needs"> {
  const needs = comments.map((comment) => /\bneeds (.*)$/.exec(comment)?.[1]).find((each) => each !== undefined);
  return needs === undefined ? {} : { needs };
}

function joinLines(lines: readonly Line[]): readonly Line[] {
  const joined: Line[] = [];
  for (const { text, number } of lines) {
    const last = joined.at(-1);
    if (last?.text.endsWith("\\")) {
      joined[joined.length - 1] = { ...last, text: `${last.text.slice(0, -1)}${text.trim()}` };
    } else joined.push({ text, number });
  }
  return joined;
}

/** A command ends where the next one begins; a blank line before that is no output. */
function consoleCommands(lines: readonly Line[]): readonly Found[] {
  const starts = lines.flatMap(({ text }, index) => text.startsWith("$ ") ? [index] : []);
  return starts.map((start, index) => {
    const { text = "", number: line = 0 } = lines[start] ?? {};
    const output = lines.slice(start + 1, starts[index + 1]).map((each) => each.text).join("\n").trimEnd();
    return { line, text: text.slice("$ ".length), output };
  });
}

/** Every command of the documents that users and developers read. */
export function readCommands(): readonly DocumentedCommand[] {
  const documents = [...Deno.readDirSync(`${ROOT}docs`)].map(({ name }) => `docs/${name}`);
  return ["README.md", "SECURITY.md", ...documents.filter((path) => path.endsWith(".md")).toSorted()]
    .flatMap((file) => parseCommands(file, Deno.readTextFileSync(`${ROOT}${file}`)));
}

/** The commands of one section that a test runs: each of them, before `end()`. */
export class DocumentedSection {
  readonly #left: DocumentedCommand[];

  constructor(file: string, heading: string) {
    this.#left = readCommands().filter((each) =>
      each.file === file && each.heading === heading && each.needs === undefined
    );
    if (this.#left.length === 0) throw new Error(`${file} shows no command under "${heading}"`);
  }

  /** The next command that begins so. */
  take(start: string): DocumentedCommand {
    const index = this.#left.findIndex(({ text }) => text.startsWith(start));
    const [found] = index < 0 ? [] : this.#left.splice(index, 1);
    if (found === undefined) throw new Error(`no command begins with "${start}": left are ${this.#describeLeft()}`);
    return found;
  }

  /** @throws if a command was not taken. */
  end(): void {
    if (this.#left.length > 0) throw new Error(`not run: ${this.#describeLeft()}`);
  }

  #describeLeft(): string {
    return this.#left.map(({ file, line, text }) => `${file}:${line} ${text}`).join("; ") || "none";
  }
}
