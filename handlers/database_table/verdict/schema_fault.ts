/** Why no table can be made in a schema; the same words at admission and in the loop. */
export function schemaFault(exists: boolean): string {
  return exists
    ? "the operator's role may not create tables in it: GRANT USAGE, CREATE ON SCHEMA to the role first"
    : "does not exist in this database: create it first";
}
