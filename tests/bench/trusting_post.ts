import https from "node:https";

/**
 * Posts a review to an admission server that has just started; whom its certificate must be signed by is not known yet.
 *
 * @returns its HTTP status, or `undefined` if nobody answers.
 */
export function postTrusting(port: number, body: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const options = {
      ...{ host: "127.0.0.1", port, path: "/validate", method: "POST", agent: false, rejectUnauthorized: false },
      headers: { "content-type": "application/json" },
    };
    const request = https.request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    request.on("error", () => resolve(undefined));
    request.end(body);
  });
}
