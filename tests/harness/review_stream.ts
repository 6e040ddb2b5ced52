import { Buffer } from "node:buffer";
import { Agent, request } from "node:https";
import { delay } from "@std/async/delay";

/** What became of the reviews that one stream sent. */
export interface StreamResult {
  readonly answered: number;
  /** One line for each that got no verdict. */
  readonly lost: readonly string[];
}

export interface ReviewStream {
  /** How many were answered so far. */
  readonly answered: number;
  /** Sends no more, and waits for what is on its way. */
  stop(): Promise<StreamResult>;
  /** Resolves once so many more were answered. */
  answers(count: number): Promise<void>;
  /** Resolves when the server asked to come back on another connection. */
  readonly sentAway: Promise<void>;
}

export interface ReviewPace {
  /** Default: 8. */
  readonly connections?: number;
  /** Of each connection between two reviews; default: none. What is watched for long should leave others some of the processor. */
  readonly pauseMs?: number;
}

/**
 * Sends reviews over HTTP/1.1, as the API server does to a Service: connections are kept, and a POST is never sent
 * again. After the first answer with `connection: close` it goes away, like a client whose Service has no such endpoint any more.
 */
export function streamReviews(port: number, body: string, pace: ReviewPace = {}): ReviewStream {
  const { connections = 8, pauseMs = 0 } = pace;
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  const sentAway = Promise.withResolvers<void>();
  const lost: string[] = [];
  let answered = 0;
  let going = true;
  const send = async (): Promise<void> => {
    while (going) {
      try {
        const { status, close } = await post(agent, port, body);
        if (status === 200) answered++;
        else lost.push(`status ${status}`);
        if (close) sentAway.resolve();
      } catch (error) {
        lost.push(error instanceof Error ? error.message : String(error));
      }
      if (pauseMs > 0) await delay(pauseMs);
    }
  };
  const senders = Array.from({ length: connections }, send);
  void sentAway.promise.then(() => going = false);
  return {
    get answered() {
      return answered;
    },
    sentAway: sentAway.promise,
    async answers(count) {
      const wanted = answered + count;
      while (answered < wanted && going) await new Promise((resolve) => setImmediate(resolve));
    },
    async stop() {
      going = false;
      await Promise.all(senders);
      agent.destroy();
      return { answered, lost };
    },
  };
}

function post(agent: Agent, port: number, body: string): Promise<{ readonly status: number; readonly close: boolean }> {
  const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const options = { agent, host: "127.0.0.1", port, path: "/validate?timeout=5s", method: "POST", headers };
    const outgoing = request(options, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, close: response.headers.connection === "close" });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
