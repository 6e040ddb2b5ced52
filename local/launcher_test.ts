import { assertEquals } from "@std/assert";
import { type Ancestor, launchersAmong } from "./launcher.ts";

function chain(...lines: readonly (readonly string[])[]): readonly Ancestor[] {
  return lines.map((args, index) => ({ pid: 100 - index, startTime: "1", args }));
}

function pidsOf(ancestors: readonly Ancestor[]): readonly number[] {
  return launchersAmong(ancestors).map((each) => each.pid);
}

Deno.test("launchersAmong() finds npx, its shell and deno task, and not the user's shell", () => {
  const ancestors = chain(
    ["deno", "task", "run"],
    ["sh", "-c", "'deno' task run"],
    ["npm exec deno@2.9.6 task run"],
    ["-bash"],
    ["/usr/bin/node", "/opt/editor/server.js"],
  );
  assertEquals(pidsOf(ancestors), [100, 99, 98]);
});

Deno.test("launchersAmong() finds npm's shim of Deno", () => {
  const ancestors = chain(
    ["/home/me/.npm/_npx/1/node_modules/deno/deno", "task", "run"],
    ["node", "/home/me/.npm/_npx/1/node_modules/.bin/deno", "task", "run"],
    ["sh", "-c", "deno task run"],
    ["npm exec deno@2.9.6 task run"],
    ["systemd"],
  );
  assertEquals(pidsOf(ancestors), [100, 99, 98, 97]);
});

Deno.test("launchersAmong() leaves a shell alone that no launcher started", () => {
  const ancestors = chain(["deno", "task", "run"], ["bash", "-c", "deno task run & sleep 1"], ["sshd"]);
  assertEquals(pidsOf(ancestors), [100]);
});

Deno.test("launchersAmong() finds none under a plain shell", () => {
  assertEquals(pidsOf(chain(["zsh"], ["tmux"])), []);
});
