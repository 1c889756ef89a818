/** Mutual exclusion per key, first come, first served. */
export interface KeyedMutex {
  runExclusively<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function keyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async runExclusively(key, work) {
      const previous = tails.get(key) ?? Promise.resolve();
      const turn = previous.then(work);
      const tail = turn.catch(() => {});
      tails.set(key, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
