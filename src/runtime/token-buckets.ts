/**
 * Token buckets: a key may do `rate` things a second, and a burst more after a pause. Held in memory,
 * each node for itself; a bucket that is full again is the same as none, so old ones are forgotten.
 */
export interface BucketRate {
  readonly perSecond: number;
  /** How many at once, after a pause. */
  readonly burst: number;
}

export interface TokenBuckets {
  /** Takes a token. @returns 0, or after how many milliseconds there will be one */
  take(key: string, rate: BucketRate, now: number): number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export function tokenBuckets(bucketsLimit = 50_000): TokenBuckets {
  const buckets = new Map<string, Bucket>();

  return {
    take(key, { perSecond, burst }, now) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = { tokens: burst, at: now };
        if (buckets.size >= bucketsLimit) forgetOldest();
        buckets.set(key, bucket);
      }
      // A clock that was set back must not take tokens away.
      const elapsed = Math.max(0, now - bucket.at);
      bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * perSecond) / 1000);
      bucket.at = now;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return 0;
      }
      return Math.ceil(((1 - bucket.tokens) * 1000) / perSecond);
    },
  };

  /** A tenth at a time: buckets are made in order, and whoever asks often is made anew full. */
  function forgetOldest(): void {
    let rest = Math.ceil(bucketsLimit / 10);
    for (const key of buckets.keys()) {
      if (rest-- === 0) return;
      buckets.delete(key);
    }
  }
}
