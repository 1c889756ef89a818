/**
 * Destinations that an operator has paused: nothing is claimed for them, and what was under way is
 * interrupted and goes on where it was. The rows are read again at every look for work, so that a
 * command beside the server takes effect within a second.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  pauseDestinationRow,
  resumeDestinationRow,
  selectDestinationStates,
} from "../metadata/queries/replication-destinations.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { Clock } from "../runtime/clock.ts";

export interface Pauses {
  /** Reads them, if the last reading is old. */
  refresh(): Promise<void>;
  isPaused(region: string): boolean;
  /** Aborted when the destination is paused, or when all stops. */
  signal(region: string): AbortSignal;
  /** The destination has left the chart: what is under way to it ends. */
  interrupt(region: string): void;
}

export interface PausesOptions {
  readonly db: Queryable;
  readonly clock: Pick<Clock, "now">;
  /** All stops. */
  readonly stopping: AbortSignal;
  /** How old what is known may be. */
  readonly intervalMilliseconds: number;
  readonly onChange: (region: string, isPaused: boolean) => void;
}

export function pauses(options: PausesOptions): Pauses {
  const { db, clock, stopping, onChange } = options;
  let paused: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;
  const controllers = new Map<string, AbortController>();
  stopping.addEventListener("abort", () => {
    for (const controller of controllers.values()) controller.abort();
  });
  function interrupt(region: string): void {
    controllers.get(region)?.abort();
    controllers.delete(region);
  }

  return {
    interrupt,
    async refresh() {
      const now = clock.now();
      if (Math.abs(now - readAt) < options.intervalMilliseconds) return;
      const rows = await selectDestinationStates(db);
      readAt = now;
      const before = paused;
      paused = new Set(rows.flatMap((row) => (row.paused_at === null ? [] : [row.region])));
      for (const region of paused) {
        interrupt(region);
        if (!before.has(region)) onChange(region, true);
      }
      for (const region of before) if (!paused.has(region)) onChange(region, false);
    },
    isPaused: (region) => paused.has(region),
    signal(region) {
      let controller = controllers.get(region);
      if (controller === undefined) {
        controller = new AbortController();
        if (stopping.aborted) controller.abort();
        controllers.set(region, controller);
      }
      return controller.signal;
    },
  };
}

export interface SteerDestination {
  /** Under whose name it is noted in the journal. */
  readonly account: string;
  readonly region: string;
  /** ARN of the principal. */
  readonly actor: string;
}

/** Nothing is sent to the region until it is resumed; its queue waits and its lag shows. */
export async function pauseDestination(
  context: RegistryContext,
  { account, region, actor }: SteerDestination,
): Promise<void> {
  await context.metadata.transaction(async (tx) => {
    await pauseDestinationRow(tx, { region, at: context.clock.now(), by: actor });
    await announceSteering(context, tx, { account, actor, detail: { region, paused: true } });
  });
}

/** @returns false when it was not paused */
export function resumeDestination(
  context: RegistryContext,
  { account, region, actor }: SteerDestination,
): Promise<boolean> {
  return context.metadata.transaction(async (tx) => {
    const resumed = await resumeDestinationRow(tx, region);
    if (resumed) {
      await announceSteering(context, tx, { account, actor, detail: { region, paused: false } });
    }
    return resumed;
  });
}

async function announceSteering(
  context: RegistryContext,
  tx: Parameters<typeof announce>[1],
  what: { account: string; actor: string; detail: Readonly<Record<string, unknown>> },
): Promise<void> {
  await announce(context, tx, {
    kind: "replication_destination_set",
    repository: "",
    origin: context.region,
    ...what,
  });
}
