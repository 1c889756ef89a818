/** A proxy on loopback whose connections a test can cut, before or after a message is delivered. */
import { connect, createServer, type Socket } from "node:net";

export interface MessageProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * Cuts the connection that sends `text`: "before" it reaches the server, or "after" the server
   * has begun to answer it, whose answer is lost. Once.
   */
  cutAt(text: string, when: "before" | "after"): void;
}

export async function messageProxy(target: { host: string; port: number }): Promise<MessageProxy> {
  let cut: { text: string; when: "before" | "after" } | undefined;
  const open = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(target);
    let answerIsLost = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        open.delete(socket);
        end();
      });
    }
    client.on("data", (bytes) => {
      if (cut !== undefined && bytes.includes(cut.text)) {
        const { when } = cut;
        cut = undefined;
        if (when === "before") return end();
        answerIsLost = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (answerIsLost) end();
      else client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    cutAt(text, when) {
      cut = { text, when };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
