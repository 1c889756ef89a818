/**
 * Slows down whoever tries secrets: failures are counted per address and per access key, in memory,
 * and forgiven as time goes by. The right secret costs nothing.
 */
import type { Clock } from "../runtime/clock.ts";

export interface SignInThrottle {
  /**
   * Takes a try for each of the two.
   * @returns 0 when it may be made, else for how many milliseconds not
   */
  begin(address: string, accessKeyId: string): number;
  /** The try was right: it is given back. */
  succeeded(address: string, accessKeyId: string): void;
}

interface Bucket {
  /** Failures not yet forgiven. */
  level: number;
  at: number;
}

/** Failures at once, and the time after which one of them is forgiven. */
const limits = {
  address: { failures: 30, forgivenMilliseconds: 10_000 },
  key: { failures: 10, forgivenMilliseconds: 15_000 },
} as const;
/** Beyond, the oldest are forgotten: a crowd of addresses must not fill the memory. */
const bucketsLimit = 20_000;

export function signInThrottle(clock: Pick<Clock, "now">): SignInThrottle {
  const buckets = new Map<string, Bucket>();

  function bucketOf(kind: keyof typeof limits, name: string): Bucket {
    const id = `${kind} ${name}`;
    const now = clock.now();
    const bucket = buckets.get(id) ?? { level: 0, at: now };
    const passed = Math.max(0, now - bucket.at);
    bucket.level = Math.max(0, bucket.level - passed / limits[kind].forgivenMilliseconds);
    bucket.at = now;
    // Behind the others: what was used last is forgotten last.
    buckets.delete(id);
    buckets.set(id, bucket);
    if (buckets.size > bucketsLimit) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  }

  function both(address: string, accessKeyId: string) {
    return [
      { kind: "address", bucket: bucketOf("address", address) },
      { kind: "key", bucket: bucketOf("key", accessKeyId) },
    ] as const;
  }

  return {
    begin(address, accessKeyId) {
      const counted = both(address, accessKeyId);
      const waits = counted.map(({ kind, bucket }) => {
        const { failures, forgivenMilliseconds } = limits[kind];
        return Math.max(0, (bucket.level + 1 - failures) * forgivenMilliseconds);
      });
      const wait = Math.ceil(Math.max(...waits));
      if (wait === 0) for (const { bucket } of counted) bucket.level += 1;
      return wait;
    },
    succeeded(address, accessKeyId) {
      for (const { bucket } of both(address, accessKeyId)) {
        bucket.level = Math.max(0, bucket.level - 1);
      }
    },
  };
}
