import { assertEquals, assertStringIncludes } from "@std/assert";
import { readConnectionSecret, type SecretTexts } from "./connection_secret.ts";

const CA = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----";
const BINDING = { type: "postgresql", host: "db.example.com", username: "ann", password: "p@ss?/#", database: "shop" };
const URI = "postgres://ann:secret@db.example.com:6432/shop";

function urlOf(texts: SecretTexts, key?: string): string {
  const read = readConnectionSecret(texts, key);
  if (!read.ok) throw new Error(read.fault);
  return read.value.url;
}

function faultOf(texts: SecretTexts, key?: string): string {
  const read = readConnectionSecret(texts, key);
  return read.ok ? "" : read.fault;
}

Deno.test("readConnectionSecret() reads the keys of a Service Binding, and the URI before them", () => {
  assertEquals(urlOf(BINDING), "postgres://ann:p%40ss%3F%2F%23@db.example.com:5432/shop?sslmode=disable");
  assertEquals(urlOf({ ...BINDING, host: "2001:db8::1", port: "6432" }).includes("@[2001:db8::1]:6432/"), true);
  assertEquals(urlOf({ ...BINDING, uri: URI }), `${URI}?sslmode=disable`);
  assertEquals(urlOf({ dsn: URI, uri: "postgres://x:y@z/w" }, "dsn"), `${URI}?sslmode=disable`);
});

Deno.test("readConnectionSecret() verifies the server as soon as there is a certificate authority", () => {
  const read = readConnectionSecret({ uri: URI, "ca.crt": CA });
  assertEquals(read, { ok: true, value: { url: `${URI}?sslmode=verify-full`, certificateAuthority: CA } });
  assertEquals(urlOf({ ...BINDING, sslmode: "require" }).endsWith("?sslmode=require"), true);
  assertStringIncludes(faultOf({ uri: `${URI}?sslmode=disable`, "ca.crt": CA }), "sslmode disable");
  assertStringIncludes(faultOf({ uri: `${URI}?sslmode=require`, sslmode: "disable" }), "something else");
  assertStringIncludes(faultOf({ uri: `${URI}?sslmode=prefer` }), "must be one of disable, require");
  assertStringIncludes(faultOf({ uri: URI, "ca.crt": "/etc/ssl/ca.pem" }), "must hold certificates");
});

Deno.test("readConnectionSecret() takes a direct URI along, with the same sslmode", () => {
  const read = readConnectionSecret({ uri: URI, sslmode: "require", directUri: "postgres://ann:s@direct/shop" });
  assertEquals(read, {
    ok: true,
    value: { url: `${URI}?sslmode=require`, directUrl: "postgres://ann:s@direct/shop?sslmode=require" },
  });
});

Deno.test("readConnectionSecret() refuses what would log in with the rights of the operator's machine", () => {
  assertStringIncludes(faultOf({ uri: "postgres://ann@db.example.com/shop" }), "without a password");
  assertStringIncludes(faultOf({ uri: "postgres://ann:s@h/shop?host=/run/postgresql" }), "parameter");
  assertStringIncludes(faultOf({ ...BINDING, host: "/run/postgresql" }), "host must be");
  assertStringIncludes(faultOf({ ...BINDING, host: "a,b" }), "host must be");
});

Deno.test("readConnectionSecret() never repeats what a Secret holds", () => {
  const faults = [
    faultOf({ uri: "jdbc:postgresql://h/topsecret" }),
    faultOf({ uri: "postgres://ann:12?topsecret@h/db" }),
    faultOf({ uri: "postgres://ann:x@h/db?sslmode=topsecret" }),
    faultOf({ uri: "postgres://ann:%zztopsecret@h/db" }),
    faultOf({ ...BINDING, port: "topsecret" }),
    faultOf({ ...BINDING, type: "topsecret" }),
    faultOf({ ...BINDING, host: "top secret" }),
    faultOf({ dsn: "topsecret" }, "dsn"),
    faultOf({ password: "topsecret" }),
    faultOf({ uri: URI }, "other"),
  ];
  assertEquals(faults.filter((each) => each === "" || each.includes("secret")), []);
});
