/**
 * A TCP port of the loopback address that nothing listens on at this moment. Not one that the system
 * would choose: those are given to every connection that goes out, also in the moment before the
 * port is used.
 */
export function freePort(): number {
  for (let attempt = 0; ; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch (error) {
      if (attempt === 100) throw error;
    }
  }
}
