/** Garbage collection on a schedule, inside the server. */
import type { Clock, Random } from "../runtime/clock.ts";
import { collectGarbage, type GarbageReport } from "./collect-garbage.ts";
import type { RegistryContext } from "./context.ts";

export interface GarbageLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface GarbageCollectionOptions {
  readonly context: RegistryContext;
  /** From the end of one collection to the beginning of the next, give or take a tenth. */
  readonly intervalMilliseconds: number;
  readonly logger: GarbageLogger;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  /** For metrics. */
  readonly onReport?: (report: GarbageReport) => void;
}

export interface GarbageCollection {
  /** Resolves when the collection under way has stopped, between two of its batches. */
  stop(): Promise<void>;
}

/**
 * The first collection begins within the first interval, at a time of chance, so that the nodes of a
 * region and the regions of an installation do not all begin at once.
 */
export function startGarbageCollection(options: GarbageCollectionOptions): GarbageCollection {
  const { context, intervalMilliseconds, logger, clock, random } = options;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run() {
    await clock.sleep(intervalMilliseconds * random.next(), signal);
    while (!signal.aborted) {
      try {
        const report = await collectGarbage(context, { dryRun: false, signal });
        options.onReport?.(report);
        logger.info({ ...report }, "garbage collected");
      } catch (error) {
        logger.error({ error }, "garbage collection failed");
      }
      await clock.sleep(intervalMilliseconds * (0.9 + 0.2 * random.next()), signal);
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
