import { isObject } from "../decode_fields.ts";
import type { CoreShape } from "./types.ts";

/** What a server gets whose spec asks for nothing; the webhook writes it, so that everybody can read it. */
export const DEFAULT_RESOURCES: CoreShape = {
  requests: { cpu: "100m", memory: "512Mi" },
  limits: { memory: "1Gi" },
};

/** Of the user that applications log in as, and of its database, where a spec names none. */
export const DEFAULT_LOGIN = "app";

/** What the mutating webhook adds to a spec where it is absent. Pure. */
export function databaseDefaults(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { resources } = spec;
  const isAbsent = resources === undefined || (isObject(resources) && Object.keys(resources).length === 0);
  return isAbsent ? { resources: DEFAULT_RESOURCES } : {};
}
