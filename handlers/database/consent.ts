import type { AllowedTables, LabelSelector, SelectorRequirement } from "../../crds/database/allowed_tables.ts";

/** A namespace that asks to put a table into a Database. */
export interface AskingNamespace {
  readonly name: string;
  /** `undefined` if we may not read them. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** Whether tables of a namespace may be in a Database of the namespace `own`. Pure; what cannot be known is no consent. */
export function consentsTo(allowed: AllowedTables, own: string, { name, labels }: AskingNamespace): boolean {
  if (name === own) return true;
  switch (allowed.from) {
    case "Same":
      return false;
    case "All":
      return true;
    case "Selector":
      return labels !== undefined && allowed.selector !== undefined && selects(allowed.selector, labels);
  }
}

/** As `LabelSelector` of meta/v1: every part must match; an empty selector matches everything. */
function selects(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => valueOf(labels, key) === value) &&
    (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}

function meets({ key, operator, values }: SelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = valueOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

function valueOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
