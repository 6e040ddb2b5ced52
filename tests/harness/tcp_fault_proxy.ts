import { closeQuietly, connectionsOf } from "./connections.ts";

/** A TCP proxy that can misbehave. */
export interface FaultProxy {
  readonly port: number;
  /** How many connections were asked for, also those that were closed at once. */
  readonly attempts: number;
  /** Open connections stay open, but nothing passes any more; new ones work. */
  freeze(): void;
  /** Closes all open connections; new ones work. */
  cut(): void;
  /** Closes all open connections and every new one, as if nobody listened, until `accept()`. */
  refuse(): void;
  accept(): void;
  close(): void;
}

interface Link {
  frozen: boolean;
  readonly ends: readonly Deno.TcpConn[];
}

export function startFaultProxy(targetPort: number): FaultProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const links = new Set<Link>();
  const gate = { open: true, attempts: 0 };
  void acceptAll(listener, { links, gate, targetPort });
  const cut = () => {
    for (const link of links) link.ends.forEach(closeQuietly);
    links.clear();
  };
  return {
    port: listener.addr.port,
    get attempts() {
      return gate.attempts;
    },
    freeze: () => links.forEach((link) => link.frozen = true),
    cut,
    refuse() {
      gate.open = false;
      cut();
    },
    accept: () => void (gate.open = true),
    close() {
      listener.close();
      cut();
    },
  };
}

async function acceptAll(
  listener: Deno.TcpListener,
  { links, gate, targetPort }: { links: Set<Link>; gate: { open: boolean; attempts: number }; targetPort: number },
): Promise<void> {
  for await (const near of connectionsOf(listener)) {
    gate.attempts++;
    const far = gate.open
      ? await Deno.connect({ hostname: "127.0.0.1", port: targetPort }).catch(() => undefined)
      : undefined;
    if (far === undefined) {
      closeQuietly(near);
      continue;
    }
    // What comes in two pieces would wait 40 ms for an acknowledgement, which neither end asked for.
    [near, far].forEach((end) => end.setNoDelay(true));
    const link: Link = { frozen: false, ends: [near, far] };
    links.add(link);
    void pump(link, near, far);
    void pump(link, far, near);
  }
}

async function pump(link: Link, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      for (let at = 0; !link.frozen && at < count;) at += await to.write(buffer.subarray(at, count));
    }
  } catch {
    // One end is gone.
  }
  if (!link.frozen) link.ends.forEach(closeQuietly);
}
