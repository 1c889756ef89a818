/**
 * The body of a request as it comes in, and what can go wrong with it on the way. A body that does
 * not end as it was announced is never taken for a whole one.
 */
import { RegistryError } from "../registry/errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** The connection ended, or its framing broke, before the end of the body. */
export class BodyCutOffError extends Error {
  override readonly name = "BodyCutOffError";
}

/** The connection stands, but the client sends nothing. */
export class BodyStalledError extends Error {
  override readonly name = "BodyStalledError";
}

export interface BodyPace {
  readonly clock: Clock;
  /**
   * A client that has sent nothing for this long, while it was waited for, is given up; it is
   * noticed before twice as long. Until then nobody else can add to the same upload.
   */
  readonly stallMilliseconds: number;
  /** Told of every chunk, for the log and the metrics. */
  readonly onReceived?: (bytes: number) => void;
}

/**
 * The bytes as they arrive. Nothing is read before the first chunk is asked for, and nothing ahead
 * of what is asked for: a slow disk slows the client down.
 * @throws BodyCutOffError, BodyStalledError
 */
export async function* bodyChunks(request: Request, pace: BodyPace): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  const watch = watchForStalls(pace);
  try {
    for (;;) {
      const { done, value } = await watch.during(reader.read().catch(cutOff));
      if (done) return;
      pace.onReceived?.(value.byteLength);
      yield value;
    }
  } finally {
    watch.end();
    // What was not read is not wanted: the server skips it and finds the next request behind it.
    reader.cancel().catch(() => {});
  }
}

function cutOff(cause: unknown): never {
  throw new BodyCutOffError("the body was cut off", { cause });
}

/** Counts waits instead of comparing times, so that a clock that is set cuts nobody off. */
function watchForStalls({ clock, stallMilliseconds }: BodyPace) {
  const ended = new AbortController();
  let waits = 0;
  let giveUp: ((error: Error) => void) | undefined;

  async function watch(): Promise<void> {
    let seen = 0;
    for (;;) {
      await clock.sleep(stallMilliseconds, ended.signal);
      if (ended.signal.aborted) return;
      if (waits === seen) giveUp?.(new BodyStalledError("the client stopped sending"));
      seen = waits;
    }
  }
  watch();

  return {
    during<T>(wait: Promise<T>): Promise<T> {
      waits += 1;
      // Promise.race with one long-lived promise would gather a reaction per chunk.
      return new Promise<T>((resolve, reject) => {
        giveUp = reject;
        wait.then(resolve, reject);
      }).finally(() => {
        giveUp = undefined;
      });
    },
    end: () => ended.abort(),
  };
}

/** Content-Length, when the client sent one. */
export function contentLength(request: Request): number | undefined {
  const text = request.headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/**
 * A whole body, at most `limitBytes`.
 * @throws manifest_too_large, size_invalid, BodyCutOffError, BodyStalledError
 */
export async function readBody(
  request: Request,
  limitBytes: number,
  pace: BodyPace,
): Promise<Uint8Array> {
  const length = contentLength(request);
  if (length !== undefined && length > limitBytes) {
    throw new RegistryError("manifest_too_large", { limitBytes });
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyChunks(request, pace)) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new RegistryError("manifest_too_large", { limitBytes });
    chunks.push(chunk);
  }
  if (length !== undefined && length !== size) {
    throw new RegistryError("size_invalid", { announcedBytes: length, receivedBytes: size });
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
