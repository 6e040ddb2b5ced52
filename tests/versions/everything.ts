/** Set by `deno task test:postgres`. */
export const EVERYTHING_VARIABLE = "TABLEWRIGHT_TEST_EVERYTHING";
/** Names the server, as its superuser, on which dumps are restored; absent: the one that they come from. */
export const UPGRADE_VARIABLE = "TABLEWRIGHT_TEST_UPGRADE_URL";

/** Whether the whole suite runs, and not only what every run can wait for. */
export function isEverything(): boolean {
  return Deno.env.get(EVERYTHING_VARIABLE) !== undefined;
}
