import { compact, type FieldReader, isObject, pathSegment } from "../decode_fields.ts";
import { forbidden, invalid, typeInvalid } from "../field_error.ts";
import type { CoreShape, PodSettings } from "./types.ts";

/** Reads what users decide about the Pod. Of core/v1 shapes only the outline: the API server knows them better. */
export function decodePodSettings(reader: FieldReader): PodSettings {
  const settings = {
    resources: decodeShape(reader, "resources"),
    podSecurityContext: decodeShape(reader, "podSecurityContext"),
    nodeSelector: decodeStringMap(reader, "nodeSelector"),
    tolerations: decodeTolerations(reader),
    affinity: decodeShape(reader, "affinity"),
    priorityClassName: reader.optionalString("priorityClassName"),
    podLabels: decodeLabels(reader),
    podAnnotations: decodeAnnotations(reader),
  };
  return compact(settings);
}

/** A map of strings; a value of another type is a fault, since YAML makes numbers and booleans of some words. */
export function decodeStringMap(reader: FieldReader, name: string): Readonly<Record<string, string>> | undefined {
  const value = reader.raw(name);
  if (value === undefined) return undefined;
  const path = reader.path(name);
  if (!isObject(value)) {
    reader.errors.push(typeInvalid(path, "a map of strings", value));
    return undefined;
  }
  const wrong = Object.entries(value).filter(([, each]) => typeof each !== "string");
  for (const [key, each] of wrong) {
    reader.errors.push(typeInvalid(`${path}.${pathSegment(key)}`, "a string (quote it)", each));
  }
  return wrong.length > 0 ? undefined : value as Readonly<Record<string, string>>;
}

function decodeShape(reader: FieldReader, name: string): CoreShape | undefined {
  const value = reader.raw(name);
  if (value === undefined || isObject(value)) return value;
  reader.errors.push(typeInvalid(reader.path(name), "an object", value));
  return undefined;
}

function decodeTolerations(reader: FieldReader): readonly CoreShape[] | undefined {
  return reader.optionalList("tolerations", 64)?.flatMap(({ path, value }) => {
    if (isObject(value)) return [value];
    reader.errors.push(typeInvalid(path, "an object", value));
    return [];
  });
}

/** What the Service selects by and what tells our objects from others' is not for users to choose. */
function decodeLabels(reader: FieldReader): Readonly<Record<string, string>> {
  const labels = decodeStringMap(reader, "podLabels") ?? {};
  for (const [key, value] of Object.entries(labels)) {
    const path = `${reader.path("podLabels")}.${pathSegment(key)}`;
    if (key === "app" || /^(app\.kubernetes\.io|tablewright\.dev)\//.test(key)) {
      reader.errors.push(forbidden(path, "is set by the operator"));
    }
    if (!isKey(key)) reader.errors.push(invalid(path, "is no label key"));
    if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value)) {
      reader.errors.push(invalid(path, "is no label value: at most 63 letters, digits, dots, dashes and underscores"));
    }
  }
  return labels;
}

function decodeAnnotations(reader: FieldReader): Readonly<Record<string, string>> {
  const annotations = decodeStringMap(reader, "podAnnotations") ?? {};
  for (const key of Object.keys(annotations)) {
    const path = `${reader.path("podAnnotations")}.${pathSegment(key)}`;
    if (/^tablewright\.dev\//.test(key)) reader.errors.push(forbidden(path, "is set by the operator"));
    if (!isKey(key)) reader.errors.push(invalid(path, "is no annotation key"));
  }
  return annotations;
}

function isKey(key: string): boolean {
  return /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(key);
}
