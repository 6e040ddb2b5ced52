import jsonPatch from "fast-json-patch";
import type { PatchOperation } from "./admission_review.ts";

/** The RFC 6902 patch that turns one JSON value into another; empty if they are equal. */
export function comparePatch(before: object, after: object): readonly PatchOperation[] {
  return before === after ? [] : jsonPatch.compare(before, after) as readonly PatchOperation[];
}
