import { assert, assertEquals } from "@std/assert";
import { connectionError, fromDriverError, PostgresError } from "./errors.ts";
import type { FailureKind } from "./sqlstate.ts";

function serverError(code: string, fields: Readonly<Record<string, string>> = {}): unknown {
  return Object.assign(new Error("secret-value"), { code, severity: "ERROR", ...fields });
}

Deno.test("fromDriverError() knows what to do by SQLSTATE", () => {
  const kinds: Readonly<Record<FailureKind, readonly string[]>> = {
    retry: [
      "08006 40001 40P01 53100 53300 55P03 55006 57P01 57P03 57014 25006 28P01 42P07 42710 58030",
    ],
    condition: ["2BP01 23502 23503 23514 23505 0A000 3D000 3F000 42501"],
    bug: ["42601 08P01 42P01 XX000 25P02"],
    outcomeUnknown: ["CONNECTION_CLOSED CONNECTION_ENDED CONNECTION_DESTROYED"],
  };
  for (const [kind, [codes = ""]] of Object.entries(kinds)) {
    for (const code of codes.split(" ")) assertEquals(fromDriverError(serverError(code)).kind, kind, code);
  }
});

Deno.test("fromDriverError() retries races on the catalogs", () => {
  assertEquals(fromDriverError(serverError("23505", { schema_name: "pg_catalog" })).kind, "retry");
  assertEquals(fromDriverError(serverError("XX000", { message: "tuple concurrently updated" })).kind, "retry");
});

Deno.test("fromDriverError() never shows the server's text, but for class 42", () => {
  for (const code of ["22P02", "23505", "23514", "P0001", "XX000", "99999"]) {
    const error = fromDriverError(serverError(code, { detail: "secret-value", constraint_name: "users_pkey" }));
    assert(!error.message.includes("secret-value"), error.message);
    assert(error.message.includes(code) && error.message.includes("users_pkey"), error.message);
    assert(!String(error.stack).includes("secret-value"));
    assertEquals(error.cause, undefined);
  }
  const message = `relation "x" does not\nexist\u001b[31m`;
  assertEquals(
    fromDriverError(serverError("42P01", { message })).message,
    `PostgreSQL refused: relation "x" does not exist[31m (SQLSTATE 42P01)`,
  );
});

Deno.test("connectionError() is one line without a password", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  const error = connectionError("127.0.0.1:1", refused);
  assertEquals(error.message, "Cannot connect to PostgreSQL at 127.0.0.1:1: connection refused");
  assertEquals(error.kind, "retry");
});

Deno.test("fromDriverError() takes anything", () => {
  for (const error of [undefined, null, "text", 5, {}, new Error("secret-value")]) {
    const typed = fromDriverError(error);
    assert(typed instanceof PostgresError && typed.kind === "bug" && !typed.message.includes("secret-value"));
    assert(fromDriverError(typed) === typed);
  }
});
