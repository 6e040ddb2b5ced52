import type { AnsweredWrite } from "../proxies/api_fault_proxy.ts";

/** Nobody is promised that there is one of each: they are told or renewed, not made. */
const NO_OBJECT = /\/(events|leases)(\/|$)|accessreviews$/;

/** Objects that an operator made and deleted, as lines that two runs can be compared by. */
export function objectLines(writes: readonly AnsweredWrite[]): readonly string[] {
  return writes.filter(({ path }) => !NO_OBJECT.test(path))
    .filter(({ method, status }) => status === 201 || (method === "DELETE" && status === 200))
    .map(({ method, path }) => `${method === "DELETE" ? "delete" : "create"} ${path.split("/").slice(-2).join("/")}`);
}
