/** Writes all of it: a socket may take less at a time. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Connections as they come, until the listener is closed. Those that their clients reset before anybody accepted them are left out. */
export async function* connectionsOf(listener: Deno.TcpListener): AsyncGenerator<Deno.TcpConn> {
  for (;;) {
    const connection = await accept(listener);
    if (connection === "closed") return;
    if (connection !== "gone") yield connection;
  }
}

async function accept(listener: Deno.TcpListener): Promise<Deno.TcpConn | "gone" | "closed"> {
  try {
    return await listener.accept();
  } catch (error) {
    if (error instanceof Deno.errors.NotConnected) return "gone";
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return "closed";
    throw error;
  }
}

/** Closes a connection, also one that was closed before. */
export function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
