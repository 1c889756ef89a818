/**
 * Remembers what decisions are made from. A change that this process commits is seen at once: the
 * writer forgets the key. One by another process or node is seen when what is remembered gets old.
 */
import type { Clock } from "../runtime/clock.ts";

export interface PolicyCacheOptions<Value> {
  readonly clock: Pick<Clock, "now">;
  load(key: string): Promise<Value>;
  /** How long a change by another process may go unseen. */
  readonly freshMilliseconds: number;
  readonly entriesLimit: number;
}

export interface PolicyCache<Value> {
  /** No promise when it is remembered: a decision then takes no turn of the event loop. */
  get(key: string): Value | Promise<Value>;
  forget(key: string): void;
  forgetAll(): void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly loadedAt: number;
}

export function policyCache<Value>(options: PolicyCacheOptions<Value>): PolicyCache<Value> {
  const { clock, freshMilliseconds, entriesLimit } = options;
  /** Oldest first. */
  const entries = new Map<string, Entry<Value>>();
  const loading = new Map<string, Promise<Value>>();

  function load(key: string): Promise<Value> {
    const loadedAt = clock.now();
    const running: Promise<Value> = options.load(key).then(
      (value) => {
        // What was forgotten meanwhile may have been read before the change.
        if (loading.get(key) === running) {
          loading.delete(key);
          keep(key, { value, loadedAt });
        }
        return value;
      },
      (error: unknown) => {
        if (loading.get(key) === running) loading.delete(key);
        throw error;
      },
    );
    loading.set(key, running);
    return running;
  }

  function keep(key: string, entry: Entry<Value>): void {
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size <= entriesLimit) return;
    for (const oldest of entries.keys()) {
      entries.delete(oldest);
      return;
    }
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        const age = clock.now() - entry.loadedAt;
        // A clock that was set back must not keep it for longer.
        if (age >= 0 && age < freshMilliseconds) return entry.value;
      }
      return loading.get(key) ?? load(key);
    },
    forget(key) {
      entries.delete(key);
      loading.delete(key);
    },
    forgetAll() {
      entries.clear();
      loading.clear();
    },
  };
}
