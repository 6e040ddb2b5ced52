/** One DDL command that was committed. */
export interface DdlEntry {
  readonly id: number;
  readonly txid: string;
  /** Milliseconds since 1970, when it ran. */
  readonly at: number;
  /** `CREATE TABLE`; of what a command took away `DROPPED table column`. */
  readonly tag: string;
  /** `public.orders`. */
  readonly identity: string;
  readonly applicationName: string;
  readonly pid: number;
  readonly role: string;
}

/** One statement as the superuser in the database that is watched. */
export type AsSuperuser = (text: string) => Promise<readonly Record<string, unknown>[]>;

/**
 * Event triggers that write down every DDL in the transaction that runs it. They run as the superuser in a schema that the operator
 * may not even enter, so they change nothing that it may do.
 */
const INSTALL = [
  "CREATE SCHEMA journal",
  `CREATE TABLE journal.ddl (id bigint GENERATED ALWAYS AS IDENTITY, txid text DEFAULT pg_current_xact_id()::text,
     at timestamptz DEFAULT clock_timestamp(), tag text, identity text,
     application_name text DEFAULT current_setting('application_name'), pid int DEFAULT pg_backend_pid(), role text DEFAULT session_user)`,
  `CREATE FUNCTION journal.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
   BEGIN INSERT INTO journal.ddl (tag, identity)
     SELECT command_tag, object_identity FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp'; END $$`,
  `CREATE FUNCTION journal.note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
   BEGIN INSERT INTO journal.ddl (tag, identity)
     SELECT 'DROPPED ' || object_type, object_identity FROM pg_event_trigger_dropped_objects()
     WHERE original AND NOT is_temporary; END $$`,
  "CREATE EVENT TRIGGER journal_ddl ON ddl_command_end EXECUTE FUNCTION journal.note()",
  "CREATE EVENT TRIGGER journal_drop ON sql_drop EXECUTE FUNCTION journal.note_drop()",
];

/** Begins to write down the DDL of a database. */
export async function installJournal(sql: AsSuperuser): Promise<void> {
  for (const statement of INSTALL) await sql(statement);
}

/** DDL that was committed so far, in the order in which it ran. @param after id of an entry: only what came later. */
export async function readJournal(sql: AsSuperuser, after = 0): Promise<readonly DdlEntry[]> {
  const rows = await sql(
    `SELECT id, txid, extract(epoch FROM at) * 1000 AS at, tag, identity, application_name, pid, role
    FROM journal.ddl WHERE id > ${after} ORDER BY id`,
  );
  return rows.map((row) => ({
    id: Number(row["id"]),
    txid: String(row["txid"]),
    at: Number(row["at"]),
    tag: String(row["tag"]),
    identity: String(row["identity"]),
    applicationName: String(row["application_name"]),
    pid: Number(row["pid"]),
    role: String(row["role"]),
  }));
}
