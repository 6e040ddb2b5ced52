/**
 * What an expression of a user may be made of: for each node of the grammar its keys, and what may stand in them. A node
 * or a key that is not here is refused, whatever a later grammar puts into it.
 */
export const EXPRESSION_NODES: ReadonlyMap<string, Readonly<Record<string, Part>>> = new Map(
  [
    ["ColumnRef", { fields: "names" }],
    ["A_Expr", { kind: "word", name: "names", lexpr: "node", rexpr: "node" }],
    // The right side of IN and BETWEEN.
    ["List", { items: "nodes" }],
    ["BoolExpr", { boolop: "word", args: "nodes" }],
    ["NullTest", { arg: "node", nulltesttype: "word" }],
    ["BooleanTest", { arg: "node", booltesttype: "word" }],
    ["TypeCast", { arg: "node", typeName: "type" }],
    ["FuncCall", { funcname: "names", args: "nodes", funcformat: "word", func_variadic: "word" }],
    ["NamedArgExpr", { name: "name", arg: "node", argnumber: "word" }],
    ["CaseExpr", { arg: "node", args: "nodes", defresult: "node" }],
    ["CaseWhen", { expr: "node", result: "node" }],
    ["CoalesceExpr", { args: "nodes" }],
    ["MinMaxExpr", { op: "word", args: "nodes" }],
    ["A_ArrayExpr", { elements: "nodes" }],
    ["RowExpr", { args: "nodes", row_format: "word" }],
    ["A_Indirection", { arg: "node", indirection: "nodes" }],
    ["A_Indices", { is_slice: "word", lidx: "node", uidx: "node" }],
    // A field, in an A_Indirection.
    ["String", { sval: "name" }],
    ["CollateClause", { arg: "node", collname: "names" }],
    ["SQLValueFunction", { op: "word", typmod: "word" }],
    ["A_Const", { isnull: "word", ival: "word", fval: "word", boolval: "word", bsval: "word", sval: "word" }],
  ] as const satisfies readonly (readonly [string, Readonly<Record<string, Part>>])[],
);

/** What stands in a key: another node, a list of them, a list of names, a name, a type, or a constant of the grammar. */
export type Part = "node" | "nodes" | "names" | "name" | "type" | "word";

/** What to call a node that is refused. */
export function refusedNode(kind: string): string {
  const name = REFUSED.find(([pattern]) => pattern.test(kind))?.[1];
  return name ?? `a form of SQL that is not allowed here (${kind})`;
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^SubLink$/, "a sub-select"],
  [/^ParamRef$/, "a parameter such as $1"],
  [/^Xml/, "a constructor or test of XML"],
  [/^Json/, "a constructor or test of JSON: use functions such as jsonb_build_object() and jsonb_path_exists()"],
  [/^SetToDefault$/, "DEFAULT"],
  [/^GroupingFunc$/, "GROUPING()"],
  [/^MergeSupportFunc$/, "merge_action()"],
  [/^A_Star$/, "*"],
];

/** PostgreSQL's own functions over many rows, which no expression about one row can call. */
export const AGGREGATES: ReadonlySet<string> = new Set(
  ("any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist dense_rank " +
    "every first_value json_agg json_agg_strict json_object_agg json_object_agg_strict json_object_agg_unique " +
    "json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict " +
    "jsonb_object_agg_unique jsonb_object_agg_unique_strict lag last_value lead max min mode nth_value ntile " +
    "percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank regr_avgx regr_avgy regr_count " +
    "regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number stddev stddev_pop stddev_samp string_agg " +
    "sum var_pop var_samp variance xmlagg").split(" "),
);
