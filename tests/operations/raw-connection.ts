/** A TCP connection that sends exactly what a test says, when it says it. */
import { connect, type Socket } from "node:net";

export interface RawConnection extends Disposable {
  readonly socket: Socket;
  /** Everything received so far, as latin1. */
  received(): string;
  send(bytes: string | Uint8Array): void;
  /** Resolves with all that was received when it contains the text. */
  until(text: string): Promise<string>;
  /** Resolves with all that was received when the server has closed the connection. */
  readonly closed: Promise<string>;
}

export async function rawConnection(port: number): Promise<RawConnection> {
  const socket = connect({ host: "127.0.0.1", port });
  let received = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const look of waiting) look();
  };
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    changed();
  });
  const closed = new Promise<string>((resolve) => {
    socket.on("close", () => {
      isClosed = true;
      changed();
      resolve(received);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  // The server may reset it at any time; `closed` says so.
  socket.on("error", () => {});
  return {
    socket,
    received: () => received,
    send: (bytes) => void socket.write(bytes),
    until(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (received.includes(text)) resolve(received);
          else if (isClosed)
            reject(new Error(`closed before ${JSON.stringify(text)}: ${received}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      });
    },
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
