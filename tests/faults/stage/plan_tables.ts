import type { PlanSpec } from "../oracles/catalog_parts.ts";
import { ROW_CANARY } from "../verdict.ts";

export const ID = { ID: "integer" };
export const NOTE = { NOTE: "text" };

/** The table of most plans; `_N` becomes the number of the run. */
export const ORDERS: PlanSpec = { tableName: "orders_N", columns: [ID, NOTE], primaryKey: "ID" };

/** An application writes what nobody may ever read elsewhere. */
export const ROWS: readonly string[] = [
  `INSERT INTO public.orders_N (id, note) SELECT n, '${ROW_CANARY} ' || n FROM generate_series(1, 50) n`,
];

/** The table, made and filled before anything breaks. */
export const FILLED = { before: ORDERS, rows: ROWS };
