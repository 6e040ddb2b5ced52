/** Numbers that are the same in every run; mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Texts that are right in one field or another: most attacks begin with something right. */
const RIGHT: readonly string[] = [
  ...["a", "ID", '"A b"', "naïve", "public", "public.t", "text", "integer", "varchar(20)", "numeric(10,2)", "int[]"],
  ...["ID > 0", "lower(NOTE)", "NOTE IS NOT NULL", "now()", "'x'", "5", "1 + 1", "NOTE || 'x'", "C", "de-x-icu"],
  ...["btree", "gin", "text_pattern_ops", "ID, NOTE", "NOTE::integer", "CASE WHEN ID > 1 THEN 2 ELSE 3 END", ""],
];

const HOSTILE: readonly string[] = [
  ...["'", '"', "''", '""', "`", "\\", "\\'", ".", "..", ",", ";", ";--", "--", "/*", "*/", "/**/", "(", ")", "[", "]"],
  ...[
    "\0",
    "\u202e",
    "\u200f",
    "\u2066",
    "\ufeff",
    "\u0007",
    "\n",
    "\r",
    "\t",
    "\u00a0",
    "É",
    "İ",
    "ſ",
    "😀",
    "\ud800",
  ],
  ...["x".repeat(64), "é".repeat(32), "x".repeat(63), "(".repeat(200), "/*".repeat(9), "a".repeat(5_000)],
  ...["select", "user", "table", "null", "default", "primary", "check", "current_user", "xmin", "ctid", "tableoid"],
  ...["int); DROP TABLE canary; --", "1); DROP TABLE canary; --", "x' || (SELECT secret FROM vault.canary) || '"],
  ...["(SELECT secret FROM vault.canary)", "EXISTS (SELECT FROM pg_authid)", "a UNION SELECT 1", "1 FROM pg_class"],
  ...[
    "$$",
    "$x$",
    "$$; DROP TABLE canary; $$",
    "$1",
    ":name",
    "%s",
    "%I",
    "E'\\''",
    "U&'\\0027'",
    'U&"\\0022"',
    "B'1'",
    "X'ff'",
  ],
  ...["\\u0027", "%27", "&#39;", "'; COMMIT; DROP TABLE canary; BEGIN; --", "ROLLBACK", "COMMIT", "\\copy", "\\!"],
  ...[
    "pg_sleep(9)",
    "pg_read_file('/etc/passwd')",
    "lo_import('/etc/passwd')",
    "dblink('', '')",
    "query_to_xml('x',true,true,'')",
  ],
  ...[
    "set_config('role','postgres',false)",
    "pg_terminate_backend(1)",
    "nextval('s')",
    "currval('s')",
    "pg_notify('a','b')",
  ],
  ...["pg_advisory_lock(1)", "txid_current()", "random()", "version()", "current_setting('x')", "vault.leak()"],
  ...[
    "count(*)",
    "sum(ID) OVER ()",
    "ROW(1,2)",
    "ARRAY[1]",
    "a => 1",
    "VARIADIC a",
    "*",
    "t.*",
    "setof int",
    "t%ROWTYPE",
  ],
  ...["NOT NULL", "DEFAULT 1", "PRIMARY KEY", "REFERENCES x", 'COLLATE "C"', "USING gin", "WHERE true", "CASCADE"],
  ...[" OWNED BY x", "pg_catalog", "pg_temp", "information_schema", "tablewright", "pg_toast", "vault", "vault.canary"],
];

/** A text that somebody could try, from right and hostile pieces. */
export function hostileText(random: () => number): string {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  const right = pick(RIGHT);
  const attack = pick(HOSTILE);
  const at = Math.floor(random() * (right.length + 1));
  switch (Math.floor(random() * 7)) {
    case 0:
      return attack;
    case 1:
      return right + attack;
    case 2:
      return right.slice(0, at) + attack + right.slice(at);
    case 3:
      return `"${attack.replaceAll('"', '""')}"`;
    case 4:
      return `'${attack.replaceAll("'", "''")}'`;
    case 5:
      return `${right}${pick([" ", "", "\n", "/* */", ", ", " OR ", "::", "."])}${attack}${pick(HOSTILE)}`;
    default:
      return `(${attack})`;
  }
}
