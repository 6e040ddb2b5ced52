import { compact, type FieldReader, type ListItem } from "../decode_fields.ts";
import { duplicate, type FieldError, notSupported } from "../field_error.ts";
import { ALLOWED_CHANGES, type AllowedChange, type ChangePolicySpec, ONLINE_MODES } from "./types.ts";

const FIELDS = ["allow", "lockTimeoutSeconds", "statementTimeoutSeconds", "online"];
const LOCK_TIMEOUT = { minimum: 1, maximum: 600 };
const STATEMENT_TIMEOUT = { minimum: 1, maximum: 86_400 };

/** Reads `spec.changePolicy`. */
export function decodeChangePolicy(spec: FieldReader): ChangePolicySpec | undefined {
  const reader = spec.optionalObject("changePolicy");
  if (reader === undefined) return undefined;
  reader.denyUnknown(FIELDS);
  return compact({
    allow: decodeAllow(reader),
    lockTimeoutSeconds: reader.optionalInteger("lockTimeoutSeconds", LOCK_TIMEOUT),
    statementTimeoutSeconds: reader.optionalInteger("statementTimeoutSeconds", STATEMENT_TIMEOUT),
    online: reader.optionalEnum("online", ONLINE_MODES),
  });
}

function decodeAllow(reader: FieldReader): readonly AllowedChange[] | undefined {
  const seen = new Set<AllowedChange>();
  const items = reader.optionalList("allow", ALLOWED_CHANGES.length);
  for (const item of items ?? []) {
    const member = memberOf(item, reader.errors);
    if (member === undefined) continue;
    if (seen.has(member)) reader.errors.push(duplicate(item.path, `"${member}" is listed twice`));
    seen.add(member);
  }
  return items === undefined ? undefined : [...seen];
}

function memberOf({ path, value }: ListItem, errors: FieldError[]): AllowedChange | undefined {
  const member = ALLOWED_CHANGES.find((each) => each === value);
  if (member === undefined) errors.push(notSupported(path, value, ALLOWED_CHANGES));
  return member;
}
