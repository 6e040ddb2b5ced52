import { isObject } from "../../../crds/decode_fields.ts";

export interface Comparison {
  /** Compares two values that are no objects and no lists; default: they are the same value. */
  readonly isSame?: (actual: unknown, wanted: unknown) => boolean;
  /** Whether others may append to lists, as admission does to those of a Pod; default: no. */
  readonly mayAppend?: boolean;
}

/** Whether `actual` has everything that `wanted` names; fields that others added do not matter. Pure. */
export function covers(actual: unknown, wanted: unknown, comparison: Comparison = {}): boolean {
  return differencesBetween(actual, wanted, comparison).length === 0;
}

/** The paths at which `actual` is not as `wanted` says. Pure. */
export function differencesBetween(
  actual: unknown,
  wanted: unknown,
  { isSame = Object.is, mayAppend = false }: Comparison = {},
): readonly string[] {
  return differences(actual, wanted, { path: "", isSame, mayAppend });
}

interface Place extends Required<Comparison> {
  readonly path: string;
}

function differences(actual: unknown, wanted: unknown, place: Place): readonly string[] {
  if (wanted === undefined) return [];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length < wanted.length) return [place.path];
    if (actual.length > wanted.length && !place.mayAppend) return [place.path];
    return wanted.flatMap((each, index) => differences(actual[index], each, at(place, `[${index}]`)));
  }
  if (isObject(wanted)) {
    if (!isObject(actual)) return [place.path];
    return Object.entries(wanted).flatMap(([key, each]) => differences(actual[key], each, at(place, `.${key}`)));
  }
  return place.isSame(actual, wanted) ? [] : [place.path];
}

function at(place: Place, step: string): Place {
  return { ...place, path: `${place.path}${step}`.replace(/^\./, "") };
}
