import type { FieldReader } from "../decode_fields.ts";
import { invalid, tooLong } from "../field_error.ts";
import { MAX_COMMENT } from "./types.ts";

/** Reads the field `comment` of a table or a column: any text that PostgreSQL can hold, also none. */
export function decodeComment(reader: FieldReader): string | undefined {
  const comment = reader.optionalText("comment");
  if (comment === undefined) return undefined;
  const path = reader.path("comment");
  if (comment.length > MAX_COMMENT) {
    reader.errors.push(tooLong(path, `must be at most ${MAX_COMMENT} characters: current value has ${comment.length}`));
  } else if (comment.includes("\0")) {
    reader.errors.push(invalid(path, "must not hold a NUL character"));
  } else if (!comment.isWellFormed()) {
    reader.errors.push(invalid(path, "must not hold half of a surrogate pair"));
  } else {
    return comment;
  }
  return undefined;
}
