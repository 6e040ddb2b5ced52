/** What PostgreSQL's own types are called and which lengths and precisions they take. */
export interface BuiltInType {
  /** As `format_type()` prints it without a modifier. */
  readonly display: string;
  readonly modifier: Modifier;
}

/** What may stand in parentheses after a type: nothing, one number, numeric's pair, or interval's fields. */
export type Modifier =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly maximum: number }
  | { readonly kind: "numeric" }
  | { readonly kind: "precision" }
  | { readonly kind: "interval" };

const NONE: Modifier = { kind: "none" };
const CHARACTERS: Modifier = { kind: "length", maximum: 10_485_760 };
const BITS: Modifier = { kind: "length", maximum: 83_886_080 };
const PRECISION: Modifier = { kind: "precision" };

const PLAIN =
  "bytea name text oid tid xid xid8 cid uuid json jsonb jsonpath xml money date inet cidr macaddr macaddr8 " +
  "point line lseg path box polygon circle tsvector tsquery refcursor pg_lsn pg_snapshot txid_snapshot aclitem " +
  "regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype " +
  "int4range int8range numrange tsrange tstzrange daterange " +
  "int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange";

/** By the name in `pg_type`. */
export const BUILT_IN_TYPES: ReadonlyMap<string, BuiltInType> = new Map<string, BuiltInType>([
  ...PLAIN.split(" ").map((name) => [name, { display: name, modifier: NONE }] as const),
  ["bool", { display: "boolean", modifier: NONE }],
  ["int2", { display: "smallint", modifier: NONE }],
  ["int4", { display: "integer", modifier: NONE }],
  ["int8", { display: "bigint", modifier: NONE }],
  ["float4", { display: "real", modifier: NONE }],
  ["float8", { display: "double precision", modifier: NONE }],
  ["numeric", { display: "numeric", modifier: { kind: "numeric" } }],
  ["char", { display: '"char"', modifier: NONE }],
  ["bpchar", { display: "character", modifier: CHARACTERS }],
  ["varchar", { display: "character varying", modifier: CHARACTERS }],
  ["bit", { display: "bit", modifier: BITS }],
  ["varbit", { display: "bit varying", modifier: BITS }],
  ["time", { display: "time without time zone", modifier: PRECISION }],
  ["timetz", { display: "time with time zone", modifier: PRECISION }],
  ["timestamp", { display: "timestamp without time zone", modifier: PRECISION }],
  ["timestamptz", { display: "timestamp with time zone", modifier: PRECISION }],
  ["interval", { display: "interval", modifier: { kind: "interval" } }],
]);

/** What users write, in lower case, for the name in `pg_type`; only what the grammar itself would resolve so. */
export const TYPE_ALIASES: ReadonlyMap<string, string> = new Map([
  ["boolean", "bool"],
  ["smallint", "int2"],
  ["integer", "int4"],
  ["int", "int4"],
  ["bigint", "int8"],
  ["real", "float4"],
  ["double precision", "float8"],
  ["float", "float8"],
  ["decimal", "numeric"],
  ["dec", "numeric"],
  ["character", "bpchar"],
  ["char", "bpchar"],
  ["character varying", "varchar"],
  ["char varying", "varchar"],
  ["bit varying", "varbit"],
  ["time without time zone", "time"],
  ["time with time zone", "timetz"],
  ["timestamp without time zone", "timestamp"],
  ["timestamp with time zone", "timestamptz"],
]);

/** Types that exist but that no column can have. */
export const PSEUDO_TYPES: ReadonlySet<string> = new Set(
  ("_record any anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray " +
    "anycompatiblerange anyelement anyenum anymultirange anynonarray anyrange cstring event_trigger fdw_handler " +
    "index_am_handler internal language_handler opaque pg_ddl_command pg_node_tree gtsvector record " +
    "table_am_handler trigger tsm_handler unknown void").split(" "),
);

/** Macros for an integer with a sequence, and the integer type that they stand for. */
export const SERIAL_TYPES: ReadonlyMap<string, string> = new Map([
  ["smallserial", "smallint"],
  ["serial2", "smallint"],
  ["serial", "integer"],
  ["serial4", "integer"],
  ["bigserial", "bigint"],
  ["serial8", "bigint"],
]);

/** Names of other databases, and what PostgreSQL calls such a type. */
export const FOREIGN_TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["str", "text"],
  ["clob", "text"],
  ["tinytext", "text"],
  ["mediumtext", "text"],
  ["longtext", "text"],
  ["varchar2", "varchar"],
  ["nvarchar", "varchar"],
  ["nvarchar2", "varchar"],
  ["datetime", "timestamp with time zone"],
  ["number", "numeric"],
  ["tinyint", "smallint"],
  ["mediumint", "integer"],
  ["int32", "integer"],
  ["int64", "bigint"],
  ["long", "bigint"],
  ["double", "double precision"],
  ["blob", "bytea"],
  ["binary", "bytea"],
  ["varbinary", "bytea"],
  ["guid", "uuid"],
]);
