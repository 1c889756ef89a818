/** At most so many at once, first come, first served. */
export interface Semaphore {
  readonly free: number;
  /** Free or not. */
  readonly places: number;
  /**
   * Resolves to the function that gives the place back.
   * @throws the signal's reason when it is aborted while waiting
   */
  acquire(signal: AbortSignal): Promise<() => void>;
  /** A place now, or undefined. */
  tryAcquire(): (() => void) | undefined;
}

export function semaphore(places: number): Semaphore {
  let free = places;
  const waiting: (() => void)[] = [];

  function take(): () => void {
    free--;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      free++;
      waiting.shift()?.();
    };
  }

  return {
    places,
    get free() {
      return free;
    },
    tryAcquire() {
      return free > 0 && waiting.length === 0 ? take() : undefined;
    },
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (free > 0 && waiting.length === 0) return resolve(take());
        const turn = () => {
          signal.removeEventListener("abort", leave);
          resolve(take());
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(turn), 1);
          reject(signal.reason);
        };
        waiting.push(turn);
        signal.addEventListener("abort", leave, { once: true });
      });
    },
  };
}
