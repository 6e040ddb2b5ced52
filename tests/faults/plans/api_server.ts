import { assertEquals } from "@std/assert";
import { eventually } from "../../harness/wait.ts";
import type { Stage } from "../stage/stage.ts";
import type { LineFate } from "../proxies/watch_lines.ts";
import { type Fault, faultsUnder, type Step } from "../stage/workload.ts";

const GONE = { kind: "Status", status: "Failure", code: 410, reason: "Expired", message: "too old resource version" };

/** Until the user has acted, and the fault was met so often. */
function times(count: number, breakIt: (stage: Stage, hit: () => boolean) => void): Step {
  return (stage) => {
    let hits = 0;
    breakIt(stage, () => hits++ < count);
    return async () => {
      await eventually("the fault was met", () => hits >= count);
      delete stage.api.behaviour.intercept;
      delete stage.api.behaviour.fateOfLine;
    };
  };
}

const cutEachSecond: Step = ({ api: { network } }) => {
  const before = network.attempts;
  const timer = setInterval(() => network.cut(), 1_000);
  return async () => {
    await eventually("the operator came back three times", () => network.attempts >= before + 3);
    clearInterval(timer);
  };
};

const goneAsAnswer = times(2, ({ api }, hit) => {
  api.behaviour.intercept = ({ isWatch }) => isWatch && hit() ? Response.json(GONE, { status: 410 }) : undefined;
  api.network.cut();
});

const goneAsEvent = times(2, (stage, hit) => {
  const line = `${JSON.stringify({ type: "ERROR", object: GONE })}\n`;
  stage.api.behaviour.intercept = ({ isWatch }) => isWatch && hit() ? new Response(line) : undefined;
  stage.api.network.cut();
});

const truncated = times(3, ({ api }, hit) => {
  api.behaviour.fateOfLine = (line) => line.includes('"databasetables') || !hit() ? "pass" : "truncate";
});

const unavailable = times(8, ({ api }, hit) => {
  api.behaviour.intercept = ({ method }) => method !== "GET" && hit() ? new Response("", { status: 503 }) : undefined;
});

const broken = times(8, ({ api }, hit) => {
  api.behaviour.intercept = ({ method }) => method !== "GET" && hit() ? new Response("", { status: 500 }) : undefined;
});

/** Everything about deletions and changes is lost, until the watch begins anew. */
const missed: Step = (stage) => {
  let lost = 0;
  const fateOfLine = (line: string): LineFate => {
    const isBookmark = line.startsWith('{"type":"BOOKMARK"');
    if (!isBookmark) lost++;
    return isBookmark ? "pass" : "drop";
  };
  stage.api.behaviour.fateOfLine = fateOfLine;
  return async () => {
    await eventually("an event was lost", () => lost > 0);
    let answered = false;
    stage.api.behaviour.intercept = ({ isWatch }) => {
      if (!isWatch || answered) return undefined;
      answered = true;
      return Response.json(GONE, { status: 410 });
    };
    delete stage.api.behaviour.fateOfLine;
    stage.api.network.cut();
  };
};

/** Nothing answers for three seconds: a restart as the operator sees it. */
const down: Step = (stage) => {
  let refused = 0;
  stage.api.behaviour.intercept = () => {
    refused++;
    return new Response("", { status: 502 });
  };
  stage.api.network.cut();
  return async () => {
    await eventually("the operator met the outage", () => refused >= 3);
    delete stage.api.behaviour.intercept;
  };
};

const PLANS: Readonly<Record<string, Fault>> = {
  "connections are cut each second": { whileMaking: cutEachSecond, whileChanging: cutEachSecond },
  "410 Gone as an answer and as an event": { whileMaking: goneAsAnswer, whileChanging: goneAsEvent },
  "lines of a watch are cut off": { whileMaking: truncated, whileChanging: truncated },
  "writes are answered with 503 and 500": { whileMaking: unavailable, whileChanging: broken },
  "deletions and changes are missed": { whileMaking: missed, whileChanging: missed },
  "the API server is away": { whileMaking: down, whileChanging: down },
};

for (const [name, fault] of Object.entries(PLANS)) {
  Deno.test(`API server: ${name}`, async () => {
    assertEquals(await faultsUnder("api", fault), []);
  });
}

Deno.test("API server: 429 with Retry-After is waited for", async () => {
  const early: string[] = [];
  let refused = 0;
  const busy: Step = ({ api }) => {
    const until = new Map<string, number>();
    api.behaviour.intercept = ({ method, path }) => {
      if (method === "GET" || refused >= 4) return undefined;
      if ((until.get(path) ?? 0) > performance.now()) early.push(`${method} ${path}`);
      if (until.has(path)) return undefined;
      refused++;
      until.set(path, performance.now() + 1_000);
      return new Response("{}", { status: 429, headers: { "retry-after": "1" } });
    };
    return async () => {
      await eventually("writes were refused", () => refused >= 4);
    };
  };
  assertEquals(await faultsUnder("api-busy", { whileMaking: busy }), []);
  assertEquals(early.filter((request) => !request.includes("/events")), []);
});

Deno.test("API server: connections that have gone silent are replaced", async () => {
  const silent: Step = ({ api: { network } }) => {
    const before = network.attempts;
    network.freeze();
    const start = performance.now();
    return async () => {
      // It takes 70 s to be sure.
      for (const _half of [1, 2]) {
        const isOver = () => network.attempts > before || performance.now() > start + 45_000;
        await eventually("a connection is replaced", isOver);
      }
      await eventually("a connection is replaced", () => network.attempts > before);
    };
  };
  assertEquals(await faultsUnder("api-silent", { whileChanging: silent }), []);
});
