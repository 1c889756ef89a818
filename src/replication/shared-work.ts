/**
 * Work that several want at the same time and that is done once: two images with the same new layer
 * send it once. It goes on while anybody still waits for it.
 */
export interface SharedWork<T> {
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Running<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export function sharedWork<T>(): SharedWork<T> {
  const running = new Map<string, Running<T>>();

  return {
    run(key, signal, work) {
      return new Promise<T>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        let entry = running.get(key);
        if (entry === undefined) {
          const controller = new AbortController();
          const started: Running<T> = { result: work(controller.signal), controller, waiting: 0 };
          const ended = () => {
            if (running.get(key) === started) running.delete(key);
          };
          started.result.then(ended, ended);
          running.set(key, started);
          entry = started;
        }
        const shared = entry;
        shared.waiting++;
        const leave = () => {
          reject(signal.reason);
          if (--shared.waiting > 0) return;
          // Nobody waits any more. Whoever comes now begins anew.
          if (running.get(key) === shared) running.delete(key);
          shared.controller.abort(signal.reason);
        };
        signal.addEventListener("abort", leave, { once: true });
        shared.result
          .then(resolve, reject)
          .finally(() => signal.removeEventListener("abort", leave));
      });
    },
  };
}
