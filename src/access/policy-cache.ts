/**
 * Remembers what decisions are made from, until somebody says that it has changed.
 */

export interface PolicyCacheOptions<Value> {
  load(key: string): Promise<Value>;
  readonly entriesLimit: number;
}

export interface PolicyCache<Value> {
  /** No promise when it is remembered: a decision then takes no turn of the event loop. */
  get(key: string): Value | Promise<Value>;
  forget(key: string): void;
  forgetAll(): void;
}

export function policyCache<Value>(options: PolicyCacheOptions<Value>): PolicyCache<Value> {
  const { entriesLimit } = options;
  /** Oldest first. */
  const entries = new Map<string, { readonly value: Value }>();
  const loading = new Map<string, Promise<Value>>();

  function load(key: string): Promise<Value> {
    const running: Promise<Value> = options.load(key).then(
      (value) => {
        // What was forgotten meanwhile may have been read before the change.
        if (loading.get(key) === running) {
          loading.delete(key);
          keep(key, value);
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

  function keep(key: string, value: Value): void {
    entries.set(key, { value });
    if (entries.size <= entriesLimit) return;
    for (const oldest of entries.keys()) {
      entries.delete(oldest);
      return;
    }
  }

  return {
    get(key) {
      const entry = entries.get(key);
      return entry === undefined ? (loading.get(key) ?? load(key)) : entry.value;
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
