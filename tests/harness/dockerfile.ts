/** One instruction of a Dockerfile. */
export interface Instruction {
  readonly keyword: string;
  /** As written, continued lines joined. */
  readonly value: string;
}

/** From one FROM to the next. */
export interface Stage {
  readonly base: string;
  /** Absent where it has none. */
  readonly name?: string;
  readonly instructions: readonly Instruction[];
}

/** Reads the stages of a Dockerfile, as far as ours goes: no ARG, no heredoc, no escape directive. Pure. */
export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text.replaceAll(/\\\n/g, " ").split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const instructions = lines.map((line) => {
    const [, keyword = "", value = ""] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
    return { keyword, value };
  });
  const starts = instructions.flatMap(({ keyword }, index) => keyword === "FROM" ? [index] : []);
  return starts.map((start, index) => {
    const [base = "", , name] = (instructions[start]?.value ?? "").split(/\s+/);
    const rest = instructions.slice(start + 1, starts[index + 1]);
    return { base, ...(name === undefined ? {} : { name }), instructions: rest };
  });
}

/** The last value of a keyword. @throws if there is none. */
export function lastOf({ instructions }: Stage, keyword: string): string {
  const found = instructions.findLast((each) => each.keyword === keyword)?.value;
  if (found === undefined) throw new Error(`the stage has no ${keyword}`);
  return found;
}

/** The words of an exec form: `["deno", "run"]`, after what stands before it. */
export function wordsOf(value: string): readonly string[] {
  return JSON.parse(value.slice(value.indexOf("[")));
}

/** Variables of all ENV instructions. */
export function environmentOf({ instructions }: Stage): Record<string, string> {
  const pairs = instructions.filter(({ keyword }) => keyword === "ENV").flatMap(({ value }) => value.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** What our image says to Deno before it names the program. */
export function imageFlags(): readonly string[] {
  const image = parseDockerfile(Deno.readTextFileSync(new URL("../../Dockerfile", import.meta.url))).at(-1);
  if (image === undefined) throw new Error("the Dockerfile has no stage");
  return wordsOf(lastOf(image, "ENTRYPOINT")).filter((each) => each.startsWith("--"));
}
