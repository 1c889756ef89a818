import { describe, expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { RegistryError } from "../registry/errors.ts";
import { BodyCutOffError, type BodyPace, BodyStalledError, bodyChunks, readBody } from "./body.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const requestWith = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("http://registry.test/", { method: "PUT", body, headers });

/** A body that a test feeds by hand. */
function handFed() {
  let source: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      source = controller;
    },
    cancel() {
      cancelled = true;
    },
  });
  return {
    request: requestWith(stream),
    send: (text: string) => source?.enqueue(encode(text)),
    end: () => source?.close(),
    breakOff: () => source?.error(new DOMException("The connection was closed.", "AbortError")),
    wasCancelled: () => cancelled,
  };
}

function paceOf() {
  const clock = manualClock();
  const pace: BodyPace = { clock, stallMilliseconds: 1000 };
  return { clock, pace };
}

/** Lets everything that can run without time passing do so. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

async function collect(request: Request, pace: BodyPace): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of bodyChunks(request, pace)) text += decoder.decode(chunk);
    return `${text} end`;
  } catch (error) {
    if (error instanceof BodyStalledError) return `${text} stalled`;
    if (error instanceof BodyCutOffError) return `${text} cut off`;
    throw error;
  }
}

describe("bodyChunks", () => {
  test("of no body is nothing", async () => {
    expect(await collect(requestWith(null), paceOf().pace)).toBe(" end");
  });

  test("ends with the body", async () => {
    const { pace } = paceOf();
    const { request, send, end } = handFed();
    const text = collect(request, pace);
    send("a");
    send("b");
    end();
    expect(await text).toBe("ab end");
  });

  test("of a body that broke off does not end: it fails", async () => {
    const { pace } = paceOf();
    const { request, send, breakOff } = handFed();
    const text = collect(request, pace);
    send("a");
    await settle();
    breakOff();
    expect(await text).toBe("a cut off");
  });

  test("gives up a client that sends nothing, before twice the limit", async () => {
    const { pace, clock } = paceOf();
    const { request, send, wasCancelled } = handFed();
    const text = collect(request, pace);
    send("a");
    await settle();
    clock.advance(1000);
    await settle();
    clock.advance(1000);
    expect(await text).toBe("a stalled");
    expect(wasCancelled()).toBe(true);
  });

  test("is patient with a client that sends a little", async () => {
    const { pace, clock } = paceOf();
    const { request, send, end } = handFed();
    const text = collect(request, pace);
    for (let i = 0; i < 10; i++) {
      send(String(i));
      await settle();
      clock.advance(999);
      await settle();
    }
    end();
    expect(await text).toBe("0123456789 end");
  });

  test("never blames the client for a slow disk", async () => {
    const { pace, clock } = paceOf();
    const { request, send, end } = handFed();
    const chunks = bodyChunks(request, pace);
    send("a");
    expect((await chunks.next()).done).toBe(false);
    for (let i = 0; i < 5; i++) {
      clock.advance(5000);
      await settle();
    }
    end();
    expect((await chunks.next()).done).toBe(true);
  });

  test("reads nothing before it is asked, and lets go when it is left", async () => {
    let pulls = 0;
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1;
          controller.enqueue(encode("x"));
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const chunks = bodyChunks(requestWith(stream), paceOf().pace);
    expect(pulls).toBe(0);
    for await (const _ of chunks) break;
    expect(pulls).toBe(1);
    expect(cancelled).toBe(true);
  });

  test("tells how much came", async () => {
    let received = 0;
    const onReceived = (bytes: number) => {
      received += bytes;
    };
    await collect(requestWith("hello"), { ...paceOf().pace, onReceived });
    expect(received).toBe(5);
  });
});

describe("readBody", () => {
  const read = async (request: Request) => {
    try {
      return new TextDecoder().decode(await readBody(request, 10, paceOf().pace));
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
  };

  test("takes what is not too large", async () => {
    expect(await read(requestWith(null))).toBe("");
    expect(await read(requestWith("0123456789"))).toBe("0123456789");
  });

  test("refuses what is too large, by its announcement or by its bytes", async () => {
    expect(await read(requestWith("0123456789a"))).toBe("manifest_too_large");
    const announced = requestWith(new ReadableStream(), { "content-length": "11" });
    expect(await read(announced)).toBe("manifest_too_large");
    expect(announced.bodyUsed).toBe(false);
  });

  test("refuses another length than was announced", async () => {
    expect(await read(requestWith("abc", { "content-length": "4" }))).toBe("size_invalid");
  });
});
