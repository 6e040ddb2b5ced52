import { assertEquals } from "@std/assert";
import { redact, redactProperties } from "./redact.ts";

const HIDDEN = "[redacted]";

for (
  const [text, wanted] of [
    ["postgres://me:pa@ss/w:rd@db:5432/app is down", `postgres://me:${HIDDEN}@db:5432/app is down`],
    ["host=db password=s3cret dbname=app", `host=db password=${HIDDEN} dbname=app`],
    ["host=db password='s3 cret' dbname=app", `host=db password=${HIDDEN} dbname=app`],
    ["PGPASSWORD=s3cret psql", `PGPASSWORD=${HIDDEN} psql`],
    ["sslpassword = s3cret;", `sslpassword = ${HIDDEN};`],
    ['{"password":"s3cret","user":"me"}', `{"password":${HIDDEN},"user":"me"}`],
    ["ALTER ROLE me PASSWORD 's3''cret' LOGIN", `ALTER ROLE me PASSWORD ${HIDDEN} LOGIN`],
    ["?token=s3cret&x=1", `?token=${HIDDEN}&x=1`],
    ["client_secret: s3cret", `client_secret: ${HIDDEN}`],
    ["authorization: bearer s3cret.s3cret", `authorization: bearer ${HIDDEN}`],
    ["Authorization: Basic czNjcmV0czNjcmV0", `Authorization: Basic ${HIDDEN}`],
    ["token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln is refused", `token ${HIDDEN} is refused`],
    ["-----BEGIN PRIVATE KEY-----\nMIIs3cret\n-----END PRIVATE KEY-----", HIDDEN],
  ] as const
) {
  Deno.test(`redact() of "${text.slice(0, 40).replaceAll("\n", " ")}" keeps the rest and no secret`, () => {
    assertEquals(redact(text), wanted);
  });
}

Deno.test("redact() leaves alone what holds no secret", () => {
  for (
    const text of [
      "Secret tablewright-ca is not there",
      "ALTER TABLE users ADD COLUMN password text NOT NULL",
      "https://10.0.0.1:6443/api?watch=true",
      "basic types only; the bearer of the name",
    ]
  ) {
    assertEquals(redact(text), text);
  }
});

Deno.test("redactProperties() writes of an error its message only: a cause may hold what its driver was told", () => {
  const cause = new Error("row (42, s3cret) violates", { cause: { password: "s3cret" } });
  const error = Object.assign(new Error("Cannot connect with password=s3cret", { cause }), { detail: "s3cret" });
  assertEquals(
    redactProperties({ error, nested: [{ error }], tokens: ["s3cret"], apiKeys: "s3cret", secretName: "a" }),
    {
      error: `Cannot connect with password=${HIDDEN}`,
      nested: [{ error: `Cannot connect with password=${HIDDEN}` }],
      tokens: HIDDEN,
      apiKeys: HIDDEN,
      secretName: "a",
    },
  );
});

Deno.test("redact() of texts that are made to be slow takes no minutes", () => {
  const texts = ["a:".repeat(20_000), "password ".repeat(10_000), "x://".repeat(20_000), "eyJaaaaaaaa.".repeat(10_000)];
  const start = performance.now();
  for (const text of texts) assertEquals(typeof redact(text), "string");
  const elapsed = performance.now() - start;
  assertEquals(elapsed < 10_000, true, `${elapsed} ms`);
});
