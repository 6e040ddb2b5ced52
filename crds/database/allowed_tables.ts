import { compact, type FieldReader, isObject } from "../decode_fields.ts";
import { invalid } from "../field_error.ts";

const ALLOWED_NAMESPACES = ["Same", "All", "Selector"] as const;
const SELECTOR_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** A `LabelSelector` of meta/v1. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly SelectorRequirement[];
}

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: (typeof SELECTOR_OPERATORS)[number];
  readonly values: readonly string[];
}

/** From which namespaces tables may be put into a Database. */
export interface AllowedTables {
  readonly from: (typeof ALLOWED_NAMESPACES)[number];
  readonly selector?: LabelSelector;
}

const MAX_REQUIREMENTS = 32;

/** Reads `spec.allowedTables` of a Database; absent means its own namespace. */
export function decodeAllowedTables(spec: FieldReader): AllowedTables {
  const outer = spec.optionalObject("allowedTables");
  outer?.denyUnknown(["namespaces"]);
  const reader = outer?.optionalObject("namespaces");
  if (reader === undefined) return { from: "Same" };
  reader.denyUnknown(["from", "selector"]);
  const from = reader.optionalEnum("from", ALLOWED_NAMESPACES) ?? "Same";
  const selector = decodeSelector(reader);
  if ((from === "Selector") !== (selector !== undefined)) {
    const rule = from === "Selector" ? "must be set when from is Selector" : "is for from: Selector only";
    reader.errors.push(invalid(reader.path("selector"), rule));
  }
  return compact({ from, selector });
}

function decodeSelector(spec: FieldReader): LabelSelector | undefined {
  const reader = spec.optionalObject("selector");
  if (reader === undefined) return undefined;
  reader.denyUnknown(["matchLabels", "matchExpressions"]);
  const matchLabels = decodeLabels(reader);
  const matchExpressions = decodeRequirements(reader);
  return compact({ matchLabels, matchExpressions });
}

function decodeLabels(reader: FieldReader): Readonly<Record<string, string>> | undefined {
  const value = reader.raw("matchLabels");
  if (value === undefined) return undefined;
  if (isObject(value) && Object.values(value).every((each) => typeof each === "string")) {
    return value as Readonly<Record<string, string>>;
  }
  reader.errors.push(invalid(reader.path("matchLabels"), "must be labels, each a string"));
  return undefined;
}

function decodeRequirements(reader: FieldReader): readonly SelectorRequirement[] | undefined {
  return reader.optionalList("matchExpressions", MAX_REQUIREMENTS)?.flatMap(({ path, value }) => {
    const { key, operator, values = [] } = isObject(value) ? value : {};
    const known = SELECTOR_OPERATORS.find((each) => each === operator);
    const areTexts = Array.isArray(values) && values.every((each) => typeof each === "string");
    const needsValues = known === "In" || known === "NotIn";
    if (typeof key === "string" && known !== undefined && areTexts && needsValues === values.length > 0) {
      return [{ key, operator: known, values: values as readonly string[] }];
    }
    const rule = "must have a key, an operator (In, NotIn, Exists, DoesNotExist), and values for In and NotIn only";
    reader.errors.push(invalid(path, rule));
    return [];
  });
}
