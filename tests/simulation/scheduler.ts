/**
 * Virtual time. Everything that waits has an event in one queue, ordered by time and then by when it
 * was put there; between two events all promises settle. Nothing else moves, so a run is a function
 * of its seed.
 */
export interface Scheduler {
  /** Milliseconds of virtual time. */
  readonly now: number;
  /** @returns a function that takes the event back */
  after(milliseconds: number, event: () => void): () => void;
  sleep(milliseconds: number): Promise<void>;
  /** Runs events until there are none before `time`, or `stop` says so. */
  runUntil(time: number, onEvent: () => Promise<void>, stop?: () => boolean): Promise<void>;
  readonly events: number;
}

interface Event {
  readonly due: number;
  readonly sequence: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A turn of the real event loop: every promise that can settle has then settled. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

export function scheduler(start: number): Scheduler {
  const heap: Event[] = [];
  let now = start;
  let sequence = 0;
  let events = 0;

  const isBefore = (a: Event, b: Event) =>
    a.due < b.due || (a.due === b.due && a.sequence < b.sequence);

  function push(event: Event): void {
    heap.push(event);
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      const [child, above] = [heap[i], heap[parent]];
      if (!child || !above || !isBefore(child, above)) return;
      heap[i] = above;
      heap[parent] = child;
      i = parent;
    }
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        const [a, b] = [heap[child], heap[least]];
        if (a && b && isBefore(a, b)) least = child;
      }
      const [a, b] = [heap[i], heap[least]];
      if (least === i || !a || !b) return first;
      heap[i] = b;
      heap[least] = a;
      i = least;
    }
  }

  const self: Scheduler = {
    get now() {
      return now;
    },
    get events() {
      return events;
    },
    after(milliseconds, run) {
      const due = now + Math.max(0, milliseconds);
      const event = { due, sequence: sequence++, run, cancelled: false };
      push(event);
      return () => {
        event.cancelled = true;
      };
    },
    sleep: (milliseconds) => new Promise((resolve) => self.after(milliseconds, resolve)),
    async runUntil(time, onEvent, stop = () => false) {
      await settle();
      while (!stop()) {
        const next = heap[0];
        if (next === undefined || next.due > time) break;
        pop();
        if (next.cancelled) continue;
        now = Math.max(now, next.due);
        events++;
        next.run();
        await settle();
        await onEvent();
      }
      if (!stop()) now = Math.max(now, time);
    },
  };
  return self;
}
