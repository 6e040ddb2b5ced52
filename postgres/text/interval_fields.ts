/** `interval` may be cut to fields; the grammar hands them over as a bit mask (utils/timestamp.h). */
const YEAR = 1 << 2;
const MONTH = 1 << 1;
const DAY = 1 << 3;
const HOUR = 1 << 10;
const MINUTE = 1 << 11;
const SECOND = 1 << 12;

/** The mask of an interval that is not cut. */
export const ALL_FIELDS = 0x7fff;

const FIELDS: ReadonlyMap<number, string> = new Map([
  [YEAR, "year"],
  [MONTH, "month"],
  [DAY, "day"],
  [HOUR, "hour"],
  [MINUTE, "minute"],
  [SECOND, "second"],
  [YEAR | MONTH, "year to month"],
  [DAY | HOUR, "day to hour"],
  [DAY | HOUR | MINUTE, "day to minute"],
  [DAY | HOUR | MINUTE | SECOND, "day to second"],
  [HOUR | MINUTE, "hour to minute"],
  [HOUR | MINUTE | SECOND, "hour to second"],
  [MINUTE | SECOND, "minute to second"],
]);

/** The fields of a mask as SQL, `undefined` for a mask that is none. */
export function intervalFields(mask: number): string | undefined {
  return FIELDS.get(mask);
}
