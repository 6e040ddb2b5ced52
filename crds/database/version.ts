import type { DatabaseType } from "./types.ts";

/** A version of a server, as far as upgrades depend on it. */
export interface ServerVersion {
  readonly text: string;
  /** Servers of one major version read each other's files: `18`, `8.0`. */
  readonly major: string;
  /** Absent: whatever the image of the major version holds. */
  readonly minor?: number;
}

interface Rules {
  readonly pattern: RegExp;
  readonly majors: readonly string[];
  readonly fallback: string;
}

const RULES: Readonly<Record<DatabaseType, Rules>> = {
  mongo: {
    pattern: /^(\d+\.\d+)(?:\.(\d{1,4}))?$/,
    majors: ["4.0", "4.2", "4.4", "5.0", "6.0", "7.0", "8.0"],
    fallback: "4.0",
  },
  mysql: {
    pattern: /^(\d+\.\d+)(?:\.(\d{1,4}))?$/,
    majors: ["8.0", "8.4", "9.0", "9.1", "9.2", "9.3", "9.4", "9.5"],
    fallback: "8.0",
  },
  postgres: { pattern: /^(\d+)(?:\.(\d{1,4}))?$/, majors: ["14", "15", "16", "17", "18"], fallback: "18" },
};

/** The major versions that are known of a type. */
export function majorsOf(type: DatabaseType): readonly string[] {
  return RULES[type].majors;
}

/** The version of a spec that names none. */
export function defaultVersion(type: DatabaseType): string {
  return RULES[type].fallback;
}

/** Reads a version; `undefined` if the type has no such version. */
export function parseVersion(type: DatabaseType, text: string): ServerVersion | undefined {
  const { pattern, majors } = RULES[type];
  const [, major = "", minor] = pattern.exec(text) ?? [];
  if (!majors.includes(major)) return undefined;
  return minor === undefined ? { text, major } : { text, major, minor: Number(minor) };
}

/** What a change of the version means for the files of the server. */
export type VersionChange = "none" | "minor" | "major" | "downgrade";

/**
 * Compares two versions of one type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * assertEquals(compareVersions({ text: "17", major: "17" }, { text: "18", major: "18" }), "major");
 * assertEquals(compareVersions({ text: "18.2", major: "18", minor: 2 }, { text: "18.1", major: "18", minor: 1 }), "downgrade");
 * ```
 */
export function compareVersions(from: ServerVersion, to: ServerVersion): VersionChange {
  const order = compareNumbers(from.major, to.major);
  if (order !== 0) return order < 0 ? "major" : "downgrade";
  if (from.text === to.text) return "none";
  const isLower = from.minor !== undefined && to.minor !== undefined && to.minor < from.minor;
  return isLower ? "downgrade" : "minor";
}

function compareNumbers(left: string, right: string): number {
  const [a, b] = [left, right].map((each) => each.split(".").map(Number));
  const [major = 0, minor = 0] = a ?? [];
  const [otherMajor = 0, otherMinor = 0] = b ?? [];
  return major - otherMajor || minor - otherMinor;
}
