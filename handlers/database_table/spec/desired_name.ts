import { duplicate, type FieldError, invalid } from "../../../crds/field_error.ts";
import { parseIdentifier, schemaNameFault } from "../../../postgres/text/identifier.ts";

/** Steps of ours leave constraints behind under such names, to be found again after a crash. */
const OWN_PREFIX = "tablewright_";

/** Which columns a spec has, those that nobody understood included. */
export interface KnownColumns {
  has(name: string): boolean;
}

/** Folds a name, or tells why it is none. */
export function readName(text: string, path: string, errors: FieldError[]): string | undefined {
  const parsed = parseIdentifier(text);
  if (parsed.ok) return parsed.value;
  errors.push(invalid(path, parsed.fault));
  return undefined;
}

/** Folds the name of a schema in which tables of users may be. */
export function readSchema(text: string, path: string, errors: FieldError[]): string | undefined {
  const name = readName(text, path, errors);
  const fault = name === undefined ? undefined : schemaNameFault(name);
  if (fault === undefined) return name;
  errors.push(invalid(path, fault));
  return undefined;
}

/** Folds the name of a constraint or an index; `undefined` if there is none or if it cannot be used. */
export function readPartName(text: string | undefined, path: string, errors: FieldError[]): string | undefined {
  const name = text === undefined ? undefined : readName(text, path, errors);
  if (name === undefined || !name.startsWith(OWN_PREFIX)) return name;
  errors.push(invalid(path, `a name that begins with "${OWN_PREFIX}" is kept for the operator`));
  return undefined;
}

/** Folds the names of a list, each at its own path; `undefined` with any fault. */
export function readNames(texts: readonly string[], path: string, errors: FieldError[]): readonly string[] | undefined {
  const before = errors.length;
  const names = texts.flatMap((text, index) => readName(text, `${path}[${index}]`, errors) ?? []);
  names.forEach((name, index) => {
    if (names.indexOf(name) < index) errors.push(duplicate(path, `column "${name}" is named twice`));
  });
  return errors.length > before ? undefined : names;
}

/** The same for columns that the spec must have. */
export function readColumnNames(
  texts: readonly string[],
  path: string,
  context: { readonly columns: KnownColumns; readonly errors: FieldError[] },
): readonly string[] | undefined {
  const names = readNames(texts, path, context.errors);
  const unknown = (names ?? []).filter((name) => !context.columns.has(name));
  for (const name of unknown) context.errors.push(unknownColumn(path, name));
  return unknown.length > 0 ? undefined : names;
}

/** A column that nobody defined. */
export function unknownColumn(path: string, name: string): FieldError {
  return invalid(path, `column "${name}" is not in spec.columns`);
}
