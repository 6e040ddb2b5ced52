import { assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../../harness/wait.ts";
import { lockWaiters } from "../stage/lock_waiters.ts";
import type { Stage } from "../stage/stage.ts";
import { tableWaits } from "../stage/stage_objects.ts";
import { type Fault, faultsUnder, type Step } from "../stage/workload.ts";

const UNREACHABLE = /^DatabaseUnreachable$/;
const FAILED = /^ApplyFailed$/;

/** A figure for whoever reads the output: it depends on the machine, so nothing is asserted of it. */
function report(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Waits until the object says why it waits; answers the message. */
async function told(stage: Stage, reason: RegExp): Promise<string> {
  const start = performance.now();
  const message = await tableWaits(stage, "apples", reason);
  report(`${stage.namespace}: told after ${Math.round(performance.now() - start)} ms: ${message}`);
  return message;
}

/** Ends every session of the operator, as a restart of the server does. */
async function endSessions({ database: { sql, role } }: Stage): Promise<void> {
  await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
}

/** SQL of an administrator that stops the operator, what the objects then say, and SQL that lets it go on. */
function stoppedBy(stop: (stage: Stage) => string, reason: RegExp, resume: (stage: Stage) => string): Step {
  return async (stage) => {
    await stage.database.sql(stop(stage));
    await endSessions(stage);
    return async () => {
      await told(stage, reason);
      await stage.database.sql(resume(stage));
      await endSessions(stage);
    };
  };
}

const down: Step = (stage) => {
  stage.postgres.behaviour.refuses = true;
  stage.postgres.cut();
  const [attempts, since] = [stage.postgres.attempts, performance.now()];
  return async () => {
    await told(stage, UNREACHABLE);
    const seconds = (performance.now() - since) / 1_000;
    const asked = stage.postgres.attempts - attempts;
    // One question every 2 s, and what was under way when it went: four objects, a sweep and a probe.
    assertEquals(asked <= 6 + seconds, true, `${asked} connections in ${seconds} s`);
    stage.postgres.behaviour.refuses = false;
  };
};

const full: Step = (stage) => {
  stage.postgres.behaviour.rejectsWith = "53300";
  stage.postgres.cut();
  return async () => {
    await told(stage, UNREACHABLE);
    delete stage.postgres.behaviour.rejectsWith;
  };
};

const slow: Step = ({ postgres }) => {
  postgres.behaviour.delayMs = 20;
  return () => void delete postgres.behaviour.delayMs;
};

/** Connections stay, new ones are accepted, and nothing is ever answered. */
const silent: Step = (stage) => {
  stage.postgres.behaviour.silent = true;
  return async () => {
    await told(stage, UNREACHABLE);
    delete stage.postgres.behaviour.silent;
    // What was swallowed never comes.
    stage.postgres.cut();
  };
};

/** A connection that goes in the middle of a transaction, and one that goes behind its COMMIT. */
const lost: Step = ({ postgres }) => {
  postgres.behaviour.resetsAt = /^(CREATE|ALTER) TABLE/;
  postgres.behaviour.losesAnswer = true;
  return async () => {
    await eventually(
      "both were met",
      () => postgres.behaviour.resetsAt === undefined && postgres.behaviour.losesAnswer === false,
    );
  };
};

/** Whoever makes a table is told that the disk cannot be written. */
const diskFails: Step = async (stage) => {
  const { sql } = stage.database;
  await sql(`CREATE FUNCTION journal.fail() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not write block 7' USING ERRCODE = 'io_error'; END $$`);
  // Not of the operator.
  await sql("DELETE FROM journal.ddl WHERE identity = 'journal.fail()'");
  await sql(
    "CREATE EVENT TRIGGER fail ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION journal.fail()",
  );
  return async () => {
    assertStringIncludes(await told(stage, FAILED), "the server cannot read or write its disk (SQLSTATE 58030)");
    await sql("DROP EVENT TRIGGER fail");
  };
};

const readOnly = stoppedBy(
  ({ database: { name } }) => `ALTER DATABASE ${name} SET default_transaction_read_only = on`,
  FAILED,
  ({ database: { name } }) => `ALTER DATABASE ${name} RESET default_transaction_read_only`,
);

const wrongPassword = stoppedBy(
  ({ database: { role } }) => `ALTER ROLE ${role} PASSWORD 'another'`,
  UNREACHABLE,
  ({ database: { role, password } }) => `ALTER ROLE ${role} PASSWORD '${password}'`,
);

const noMoreConnections = stoppedBy(
  ({ database: { role } }) => `ALTER ROLE ${role} CONNECTION LIMIT 0`,
  UNREACHABLE,
  ({ database: { role } }) => `ALTER ROLE ${role} CONNECTION LIMIT -1`,
);

const settings: Step = async (stage) => {
  const { name } = stage.database;
  const set = {
    standard_conforming_strings: "off",
    search_path: "nowhere",
    quote_all_identifiers: "on",
    DateStyle: "German",
  };
  for (const [setting, value] of Object.entries(set)) {
    await stage.database.sql(`ALTER DATABASE ${name} SET ${setting} = ${value}`);
  }
  await endSessions(stage);
  return () => {};
};

const PLANS: Readonly<Record<string, Fault>> = {
  "down at the start": { whileMaking: down },
  "goes away": { whileChanging: down },
  "has too many connections": { whileMaking: full, whileChanging: noMoreConnections },
  "is slow": { whileMaking: slow, whileChanging: slow },
  "falls silent": { whileMaking: silent, whileChanging: silent },
  "a connection is lost before and behind a COMMIT": { whileMaking: lost, whileChanging: lost },
  "cannot write its disk, and is read-only": { whileMaking: diskFails, whileChanging: readOnly },
  "does not know the password for a while": { whileChanging: wrongPassword },
  "its settings are changed": { whileChanging: settings },
};

for (const [name, fault] of Object.entries(PLANS)) {
  Deno.test(`PostgreSQL: ${name}`, async () => {
    const atStart = (stage: Stage) => void (stage.postgres.behaviour.refuses = name === "down at the start");
    assertEquals(await faultsUnder("postgres", { ...fault, atStart }), []);
  });
}

Deno.test("PostgreSQL: somebody holds a lock", async () => {
  const held: Step = async ({ database, namespace }) => {
    const release = Promise.withResolvers<void>();
    const reader = database.hold("LOCK TABLE public.apples IN ACCESS SHARE MODE", release.promise);
    await reader.held;
    return async () => {
      const [queued] = await eventually(`${namespace}: the operator waits for the lock`, async () => {
        const waiting = await lockWaiters(database.sql);
        return waiting.length > 0 && waiting;
      });
      const before = performance.now();
      await database.sql("SELECT count(*) FROM public.apples");
      report(
        `${namespace}: a query behind session ${queued} waited ${Math.round(performance.now() - before)} ms`,
      );
      release.resolve();
      await reader.ended;
    };
  };
  assertEquals(await faultsUnder("postgres-lock", { whileChanging: held }), []);
});

Deno.test("PostgreSQL: what it says of an outage is told without secrets", async () => {
  let message = "";
  const refuses: Step = (stage) => {
    stage.postgres.behaviour.refuses = true;
    stage.postgres.cut();
    return async () => {
      message = await told(stage, UNREACHABLE);
      stage.postgres.behaviour.refuses = false;
    };
  };
  assertEquals(await faultsUnder("postgres-told", { whileChanging: refuses }), []);
  assertStringIncludes(message, "Cannot connect to PostgreSQL at 127.0.0.1:");
});
