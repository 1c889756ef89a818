/**
 * The lines between the regions: messages are late, lost, doubled, damaged, or done without an answer;
 * lines are cut in one direction or both; blobs break off in the middle.
 */
import type { Digest } from "../../src/image/digest.ts";
import { ReplicationFailure } from "../../src/replication/failure.ts";
import { decodeOffer, encodeOffer, OfferSyntaxError } from "../../src/replication/offer.ts";
import type { Peer } from "../../src/replication/peer.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { DiskFull, type Incarnation, type SimulatedRegion } from "./node.ts";
import type { Scheduler } from "./scheduler.ts";

export interface Network {
  peer(from: string, to: string, alive: () => boolean): Peer;
  /** Cuts lines for a while; undefined: all of the direction's. */
  cut(from: string, to: string): void;
  mend(): void;
  /** No further fault. */
  calm: boolean;
  readonly trace: (text: string) => void;
}

export interface NetworkOptions {
  readonly time: Scheduler;
  readonly random: Chance;
  readonly faults: Faults;
  readonly region: (name: string) => SimulatedRegion;
  readonly trace: (text: string) => void;
}

const answerMilliseconds = 30_000;
const chunkBytes = 1500;

/** Where the manifests begin in an encoded offer. */
function contentStart(offer: Uint8Array<ArrayBuffer>): number {
  return 4 + new DataView(offer.buffer, offer.byteOffset, 4).getUint32(0);
}

export function network(options: NetworkOptions): Network {
  const { time, random, faults, region, trace } = options;
  const cuts = new Set<string>();

  const happens = (probability: number) => !self.calm && random.happens(probability);
  const isCut = (from: string, to: string) => cuts.has(`${from} ${to}`);
  const travel = () =>
    time.sleep(self.calm ? 10 : 1 + random.next() ** 3 * faults.delayMilliseconds);
  const unreachable = (text: string) => new ReplicationFailure("destination_unreachable", text);

  function target(to: string): Incarnation {
    const incarnation = region(to).current();
    if (incarnation === undefined) throw unreachable(`${to} is down`);
    return incarnation;
  }

  /** What the destination's endpoint makes of an error. */
  function answered(error: unknown): unknown {
    if (error instanceof ReplicationFailure) return error;
    if (error instanceof OfferSyntaxError)
      return new ReplicationFailure("offer_invalid", error.message);
    const cause = error as { cause?: unknown };
    if (error instanceof DiskFull || cause?.cause instanceof DiskFull) {
      return new ReplicationFailure("destination_error", "the disk is full");
    }
    return error;
  }

  /** One request and its answer. */
  async function exchange<T>(
    from: string,
    to: string,
    what: string,
    signal: AbortSignal,
    serve: (incarnation: Incarnation) => Promise<T>,
  ): Promise<T> {
    const done = Promise.withResolvers<T>();
    done.promise.catch(() => {});
    const cancel = time.after(answerMilliseconds, () =>
      done.reject(new ReplicationFailure("destination_stalled", `${to} does not answer`)),
    );
    const onAbort = () => done.reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });

    async function deliver(): Promise<void> {
      await travel();
      if (isCut(from, to) || happens(faults.lossProbability)) return trace(`${what} is lost`);
      try {
        const incarnation = target(to);
        const result = await serve(incarnation).catch((error) => {
          throw answered(error);
        });
        await travel();
        if (isCut(to, from) || happens(faults.lostReplyProbability)) {
          return trace(`the answer to ${what} is lost`);
        }
        done.resolve(result);
      } catch (error) {
        await travel();
        if (!isCut(to, from)) done.reject(error);
      }
    }

    void deliver();
    if (happens(faults.duplicateProbability)) {
      void time.sleep(random.between(0, 5_000)).then(() => {
        trace(`${what} comes twice`);
        return deliver();
      });
    }
    try {
      return await done.promise;
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** @param from where bytes begin whose digest somebody checks; before them TLS is the guard */
  function damaged(bytes: Uint8Array<ArrayBuffer>, from = 0): Uint8Array<ArrayBuffer> {
    if (bytes.byteLength <= from || !happens(faults.corruptionProbability)) return bytes;
    const copy = new Uint8Array(bytes);
    const at = random.between(from, copy.byteLength - 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7));
    return copy;
  }

  const self: Network = {
    calm: false,
    trace,
    cut: (from, to) => void cuts.add(`${from} ${to}`),
    mend: () => cuts.clear(),
    peer(from, to, alive) {
      /** An answer to somebody who has died reaches nobody. */
      async function forSender<T>(work: Promise<T>): Promise<T> {
        try {
          const result = await work;
          return alive() ? result : await new Promise<never>(() => {});
        } catch (error) {
          if (!alive()) return new Promise<never>(() => {});
          throw error;
        }
      }
      return {
        offer(offer, signal) {
          const what = `offer ${from}>${to} ${offer.repository}:${offer.tag?.name ?? offer.digest.slice(7, 15)}`;
          return forSender(
            (async () => {
              const encoded = new Uint8Array(await encodeOffer(offer).arrayBuffer());
              trace(what);
              return exchange(from, to, what, signal, (incarnation) =>
                (async () =>
                  incarnation.replication.receiver.offer(
                    from,
                    decodeOffer(damaged(encoded, contentStart(encoded))),
                  ))(),
              );
            })(),
          );
        },
        sendBlob({ digest, size, offset, bytes }, signal, onSent) {
          const what = `blob ${from}>${to} ${digest.slice(7, 15)} @${offset}`;
          return forSender(
            (async () => {
              const content = new Uint8Array(await bytes.arrayBuffer());
              trace(what);
              return exchange(from, to, what, signal, (incarnation) =>
                incarnation.replication.receiver.receiveBlob(from, {
                  digest: digest as Digest,
                  size,
                  offset,
                  bytes: line(from, to, content, onSent),
                }),
              );
            })(),
          );
        },
      };
    },
  };

  async function* line(
    from: string,
    to: string,
    content: Uint8Array<ArrayBuffer>,
    onSent: (bytes: number) => void,
  ): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.byteLength; at += chunkBytes) {
      await travel();
      if (isCut(from, to)) {
        // A cut line says nothing: the destination finds out by itself.
        await new Promise<never>(() => {});
      }
      if (happens(faults.breakProbability)) throw unreachable("the line broke");
      const chunk = damaged(content.slice(at, at + chunkBytes));
      onSent(chunk.byteLength);
      yield chunk;
    }
  }

  return self;
}
