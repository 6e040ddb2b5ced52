import type { ColumnSpec } from "../../../crds/database_table/types.ts";
import { type FieldError, invalid } from "../../../crds/field_error.ts";
import { SERIAL_TYPES } from "../../../postgres/text/built_in_type.ts";
import { isCollatable, ownCollation, parseCollation } from "../../../postgres/text/collation.ts";
import type { ParseBudget } from "../../../postgres/text/parse_budget.ts";
import { parseType } from "../../../postgres/text/parse_type.ts";
import { isBuiltIn, printType, type TypeName } from "../../../postgres/text/type_name.ts";

/** The type of a column; `isSerial` if it was written as a macro that brings a sequence. */
export interface DesiredType {
  readonly type: TypeName;
  readonly isSerial: boolean;
}

/** Parses the type of a column, `serial` included. */
export async function readType(
  spec: ColumnSpec,
  errors: FieldError[],
  budget: ParseBudget,
): Promise<DesiredType | undefined> {
  const integer = SERIAL_TYPES.get(spec.type.trim().toLowerCase());
  const type = await parseType(integer ?? spec.type, budget);
  if (type.ok) return { type: type.value, isSerial: integer !== undefined };
  errors.push(invalid(spec.typePath, type.fault + longFormHint(spec)));
  return undefined;
}

/** Users of other tools write constraints behind the type: the long form says the same. */
function longFormHint(spec: ColumnSpec): string {
  const isShortForm = spec.path === spec.typePath;
  if (!isShortForm || !/\b(not\s+null|default)\b/i.test(spec.type)) return "";
  return `, such as ${spec.key}: {type: …, notNull: true, default: …}`;
}

const IDENTITY_TYPES: readonly string[] = ["int2", "int4", "int8"];

/** Why a column of the type cannot be numbered. */
export function identityFault(type: TypeName): string | undefined {
  const isInteger = isBuiltIn(type) && !type.isArray && IDENTITY_TYPES.includes(type.name);
  return isInteger ? undefined : `needs the type smallint, integer or bigint: current type is ${printType(type)}`;
}

/** The collation of a column, quoted; `absent` if it is the type's own, `undefined` with a fault. */
export function readCollation(
  text: string,
  place: { readonly path: string; readonly type: TypeName },
  errors: FieldError[],
): string | "absent" | undefined {
  if (!isCollatable(place.type)) {
    errors.push(invalid(place.path, `the type ${printType(place.type)} has no collation: leave it out`));
    return undefined;
  }
  const collation = parseCollation(text);
  if (!collation.ok) {
    errors.push(invalid(place.path, collation.fault));
    return undefined;
  }
  return collation.value === ownCollation(place.type) ? "absent" : collation.value;
}
