import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type DocumentedCommand, parseCommands, readCommands } from "../harness/documented_commands.ts";
import { testInNetworkNamespace } from "../harness/network_namespace.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const COMMANDS = readCommands();
const CI = Deno.readTextFileSync(`${ROOT}.ci/run`);
/** How `.ci/run` runs all tests. */
const SUITE = "\nsuite npx -y deno@2.9.6 task test\n";

Deno.test("parseCommands() finds commands, what they need, and what they print", () => {
  const markdown =
    "# Top\n```sh\na  # needs b\n\n# needs c\nd \\\n  e\n```\n## Next\n  ```console\n  $ f\n  g\n\n  $ h\n  ```\n```yaml\ni\n```";
  assertEquals(parseCommands("x.md", markdown), [
    { file: "x.md", heading: "Top", line: 3, text: "a  # needs b", needs: "b" },
    { file: "x.md", heading: "Top", line: 6, text: "d e", needs: "c" },
    { file: "x.md", heading: "Next", line: 11, text: "f", output: "g" },
    { file: "x.md", heading: "Next", line: 14, text: "h", output: "" },
  ]);
});

/** Texts of the tests: whoever takes the commands of a section must run all of them. */
function testSources(folder = `${ROOT}tests`): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return testSources(path);
    return name.endsWith(".ts") ? [Deno.readTextFileSync(path)] : [];
  });
}

/** What a task of deno.json runs, other tasks opened. */
function partsOf(task: string): readonly string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
    readonly tasks: Readonly<Record<string, { readonly command: string } | undefined>>;
  };
  const command = tasks[task]?.command;
  if (command === undefined) throw new Error(`there is no task ${task}`);
  return command.split(" && ").flatMap((part) => {
    const [, other] = /^deno task (\S+)$/.exec(part) ?? [];
    return other === undefined || other === "test" ? [part] : partsOf(other);
  });
}

/** Whether `.ci/run` does what a task of developers does. */
function isRunByCi({ text }: DocumentedCommand): boolean {
  const [, task] = /^npx -y deno@2\.9\.6 task (\S+)/.exec(text) ?? [];
  if (task === undefined) return false;
  if (task === "test") return CI.includes(SUITE);
  if (task === "test:unit") return isPartOfAllTests(partsOf(task));
  return partsOf(task).every((part) =>
    part === "deno task test" ? CI.includes(SUITE) : CI.includes(`\ncheck ${part}\n`)
  );
}

/** Its folders are those that `deno task test` begins with. */
function isPartOfAllTests([command = ""]: readonly string[]): boolean {
  const folders = command.replace("deno test --no-prompt ", "").split(" ");
  return Deno.readTextFileSync(`${ROOT}tests/run.ts`).includes(`= ${JSON.stringify(folders).replaceAll(",", ", ")};`);
}

Deno.test("every command in the documents is run by a test or by CI, or says what it needs", () => {
  const sources = testSources();
  const isTaken = ({ file, heading }: DocumentedCommand) =>
    sources.some((text) => text.includes(`new DocumentedSection("${file}", "${heading}")`));
  const strays = COMMANDS.filter((each) => each.needs === undefined && !isTaken(each) && !isRunByCi(each));
  assertEquals(strays.map(({ file, line, text }) => `${file}:${line} ${text}`), []);
  assertEquals(COMMANDS.length > 30, true);
});

Deno.test("who reads the README and types its commands sees what it shows", async () => {
  await testInNetworkNamespace(fromFileUrl(new URL("./first_run.ts", import.meta.url)));
});
