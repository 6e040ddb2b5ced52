import { parseAll } from "@std/yaml";
import { isObject } from "../../../crds/decode_fields.ts";
import { GROUP, KIND, VERSION } from "../../../crds/database_table/types.ts";

/** A DatabaseTable as a file has it. */
export interface Manifest {
  /** The file, `-` for standard input. */
  readonly source: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly metadata: {
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

/** The objects of a file. */
export interface ReadManifests {
  readonly manifests: readonly Manifest[];
  /** One line each. */
  readonly warnings: readonly string[];
}

/** The text is no YAML, or no objects. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

export const API_VERSION = `${GROUP}/${VERSION}`;

/**
 * Reads the DatabaseTables of a text with YAML or JSON documents; lists are opened, other kinds skipped.
 *
 * @param namespace Of objects that name none.
 * @throws {ManifestError} one line, if it cannot be read.
 */
export function parseManifests(
  text: string,
  { source, namespace }: { readonly source: string; readonly namespace: string },
): ReadManifests {
  const objects = parseDocuments(text, source).flatMap(itemsOf);
  const warnings = ambiguousWords(text).map((line) => `${source}: ${line}`);
  const others = objects.filter((object) => !isTable(object)).length;
  if (others > 0) warnings.push(`${source}: ${others} ${others === 1 ? "object" : "objects"} of other kinds skipped`);
  return { warnings, manifests: objects.filter(isTable).map((object) => manifestOf(object, { source, namespace })) };
}

type Document = Readonly<Record<string, unknown>>;

function parseDocuments(text: string, source: string): readonly Document[] {
  let documents: unknown;
  try {
    documents = parseAll(text, { schema: "core" });
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new ManifestError(`Cannot read ${source} as YAML: ${reason}`);
  }
  const present = (documents as unknown[]).filter((document) => document !== null && document !== undefined);
  if (!present.every(isObject)) throw new ManifestError(`Cannot read ${source}: each document must be an object`);
  return present;
}

function itemsOf(document: Document): readonly Document[] {
  const { kind, items } = document;
  const isList = typeof kind === "string" && kind.endsWith("List") && Array.isArray(items);
  return isList ? (items as unknown[]).filter(isObject) : [document];
}

function isTable({ apiVersion, kind }: Document): boolean {
  return kind === KIND && typeof apiVersion === "string" && apiVersion.startsWith(`${GROUP}/`);
}

function manifestOf(object: Document, place: { readonly source: string; readonly namespace: string }): Manifest {
  const metadata = isObject(object["metadata"]) ? object["metadata"] : {};
  const { namespace, name } = metadata;
  return {
    source: place.source,
    apiVersion: String(object["apiVersion"]),
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : place.namespace,
    name: typeof name === "string" ? name : "",
    metadata,
    spec: object["spec"],
  };
}

const WORD = /^[\s-]*(?:[^#"']*?[\s,{[])?(yes|no|on|off)\s*(?::|[,}\]]|$)/i;

/** kubectl reads YAML 1.1, in which these words are booleans: what it applies is not what the file shows. */
function ambiguousWords(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const word = WORD.exec(line)?.[1];
    return word === undefined ? [] : [`line ${index + 1}: kubectl reads ${word} as a boolean: quote it`];
  });
}
