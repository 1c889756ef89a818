/**
 * A TCP proxy that breaks connections: what a client meets when a link goes down in the middle of a
 * large layer.
 *
 *     using proxy = await startCuttingProxy(server.host);
 *     proxy.cutAfter(20 * 1024 ** 2);
 *     await runCommand(["docker", "pull", `${proxy.host}/app:1`]);
 *     expect(proxy.cuts).toBe(1);
 */
import { connect, createServer, type Socket } from "node:net";

export interface CuttingProxy extends Disposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** How many connections it has broken. */
  readonly cuts: number;
  /** Breaks the next connection over which the server has sent more than this, once. */
  cutAfter(serverBytes: number): void;
}

/** @param target `127.0.0.1:<port>` */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const [hostname = "", port = ""] = target.split(":");
  const sockets = new Set<Socket>();
  let limitBytes: number | undefined;
  let cuts = 0;
  const listener = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let sentBytes = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (chunk) => {
      sentBytes += chunk.length;
      if (limitBytes !== undefined && sentBytes > limitBytes) {
        limitBytes = undefined;
        cuts++;
        client.destroy();
        return;
      }
      if (!client.write(chunk)) {
        upstream.pause();
        client.once("drain", () => upstream.resume());
      }
    });
    upstream.on("end", () => client.end());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    host: `127.0.0.1:${address.port}`,
    get cuts() {
      return cuts;
    },
    cutAfter(serverBytes) {
      limitBytes = serverBytes;
    },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}
