import { readTextIfPresent } from "../../local/files.ts";

/** What one run of `deno test` found. */
export interface TestResults {
  /** How many there were, steps among them. */
  readonly tests: number;
  /** The name of each that failed. */
  readonly failed: readonly string[];
}

/**
 * What a run has written to its JUnit file. One that did not pass although no test failed (it was killed, a module of it does
 * not load) or that left nothing gets a result that says so: whoever counts results must not miss it.
 */
export function settleResults(
  path: string,
  { name, succeeded }: { readonly name: string; readonly succeeded: boolean },
): TestResults {
  const text = readTextIfPresent(path);
  const results = decodeResults(text ?? "");
  if (results.failed.length > 0 || (succeeded && text !== undefined)) return results;
  const complaint = succeeded ? `${name} left no results` : `${name} failed, although no test of it did`;
  Deno.writeTextFileSync(path, encodeFailure(name, complaint));
  return { tests: 1, failed: [complaint] };
}

/** JUnit as Deno writes it. */
export function decodeResults(text: string): TestResults {
  const [, tests = "0"] = /<testsuites [^>]*\btests="(\d+)"/.exec(text) ?? [];
  const failed = text.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<(?:failure|error)\b/g);
  return { tests: Number(tests), failed: Array.from(failed, ([, name = ""]) => unescaped(name)) };
}

function encodeFailure(name: string, complaint: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="1" failures="0" errors="1" time="0.000">
    <testsuite name="${name}" tests="1" disabled="0" errors="1" failures="0">
        <testcase name="${complaint}" classname="${name}" time="0.000">
            <error message="see its output"/>
        </testcase>
    </testsuite>
</testsuites>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function unescaped(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
