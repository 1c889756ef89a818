/**
 * Claims replications that are due and attempts them. It has the only loop of this folder, and that
 * loop only calls `tick()`: a simulator calls it itself.
 *
 * Whatever happens to this process, everything is in the rows: a lease that is not renewed runs out,
 * and the row is due again.
 */

import { noteReachable, noteUnreachable } from "../metadata/queries/replication-destinations.ts";
import {
  type ClaimedReplication,
  claimReplications,
  endReplicationLeases,
  hastenImplausible,
  hastenReplications,
  noteUnknownRegions,
  selectNextDue,
} from "../metadata/queries/replications.ts";
import {
  type AttemptOutcome,
  type AttemptPorts,
  type AttemptSettings,
  attemptReplication,
  write,
} from "./attempt.ts";
import type { BackfillWork } from "./backfill-work.ts";
import { failureCodes, type ReplicationFailure } from "./failure.ts";
import { type Lane, type Link, lanes } from "./link.ts";
import { pauses } from "./pauses.ts";

export interface WorkerSettings extends AttemptSettings {
  /** How often to look although nobody called: another node of the region may have taken a push. */
  readonly pollMilliseconds: number;
}

export interface WorkerOptions extends AttemptPorts {
  readonly settings: WorkerSettings;
  /** One for each destination, as the chart has them now; the same list as long as it does. */
  readonly links: () => readonly Link[];
  /** Makes more due from time to time; called with every tick. */
  readonly backfills: BackfillWork;
  /** No other process of the region replicates: leases left by an earlier one are void at once. */
  readonly soleWorker: boolean;
}

export interface ReplicationWorker {
  /**
   * Claims what is due and starts it, within the limits.
   * @returns for how many milliseconds there is nothing to do unless something happens
   */
  tick(): Promise<number>;
  /** Something may be due: a hint that only saves time. */
  wake(): void;
  /** Resolves when every attempt that was started has ended. */
  settled(): Promise<void>;
  start(): void;
  /** Interrupts what runs, gives it back, and resolves when all has ended. */
  stop(): Promise<void>;
}

const outageCodes = Object.entries(failureCodes)
  .filter(([, kind]) => kind.opensCircuit)
  .map(([code]) => code);

const sweepMilliseconds = 60_000;

/** How many attempts may begin now. */
function freePlaces({ images, backlogImages }: Link, lane: Lane, backlog: boolean): number {
  const { free, places } = images[lane];
  if (!backlog) return free;
  return Math.max(0, Math.min(free, Math.ceil(places / 2) - backlogImages[lane]));
}

export function replicationWorker(options: WorkerOptions): ReplicationWorker {
  const { context, settings, metrics, log } = options;
  const { clock, metadata } = context;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let hint = new AbortController();
  let loop: Promise<void> | undefined;
  let sweptAt = Number.NEGATIVE_INFINITY;
  let links = options.links();

  const paused = pauses({
    db: metadata.read,
    clock,
    stopping: stopping.signal,
    intervalMilliseconds: settings.pollMilliseconds,
    onChange: (region, isPaused) => metrics.paused.set(isPaused ? 1 : 0, { region }),
  });
  /** Those that are known to be within reach, by this process and in the database. */
  const reached = new Set<string>();

  async function tick(): Promise<number> {
    await paused.refresh();
    follow();
    let wait = settings.pollMilliseconds;
    for (const link of links) {
      for (const lane of lanes) {
        wait = Math.min(wait, await claim(link, lane, false));
        // What was pushed comes first; backfills have at most half of the places.
        wait = Math.min(wait, await claim(link, lane, true));
      }
    }
    await sweep();
    return Math.min(wait, await options.backfills.tick());
  }

  /** What is under way over a link that is no more ends, and the rest of its queue says why. */
  function follow(): void {
    const now = options.links();
    if (now === links) return;
    for (const link of links) if (!now.includes(link)) paused.interrupt(link.region);
    links = now;
    sweptAt = Number.NEGATIVE_INFINITY;
  }

  async function claim(link: Link, lane: Lane, backlog: boolean): Promise<number> {
    const free = freePlaces(link, lane, backlog);
    if (free === 0) return settings.pollMilliseconds; // Whoever ends wakes us.
    if (paused.isPaused(link.region)) return settings.pollMilliseconds;
    const queue = { bulk: lane === "bulk", backlog };
    const dueAt = await selectNextDue(metadata.read, link.region, queue);
    if (dueAt === undefined) return settings.pollMilliseconds;
    const now = clock.now();
    const probe = link.circuit.open;
    if (probe && link.probing) return settings.pollMilliseconds;
    const wait = probe ? link.circuit.probeWait(now) : dueAt - now;
    if (wait > 0) return wait;
    // Taken before the claim: while the database works, an attempt may move into this lane.
    const places = takePlaces(link, lane, probe ? 1 : free);
    const limit = places.length;
    if (limit === 0) return settings.pollMilliseconds;
    const { region } = link;
    try {
      const rows = await write(metadata, async (tx) => {
        // The probe does not wait for a row's own back-off, which may be longer than the circuit's.
        if (probe) await hastenReplications(tx, { region, now, codes: outageCodes });
        const leaseUntil = now + settings.leaseMilliseconds;
        return claimReplications(tx, { ...queue, region, now, leaseUntil, limit });
      });
      for (const row of rows) {
        const release = places.pop();
        if (release === undefined) throw new Error("more was claimed than was asked for");
        begin(link, { lane, release }, row, probe);
      }
      return rows.length === 0 || rows.length === limit ? settings.pollMilliseconds : 0;
    } finally {
      for (const release of places) release();
    }
  }

  function takePlaces(link: Link, lane: Lane, limit: number): (() => void)[] {
    const places: (() => void)[] = [];
    for (let count = 0; count < limit; count++) {
      const release = link.images[lane].tryAcquire();
      if (release === undefined) break;
      places.push(release);
    }
    return places;
  }

  function begin(
    link: Link,
    place: { readonly lane: Lane; readonly release: () => void },
    row: ClaimedReplication,
    probe: boolean,
  ): void {
    if (probe) link.probing = true;
    const { lane } = place;
    if (row.backlog === 1) link.backlogImages[lane]++;
    const signal = paused.signal(link.region);
    const attempt = attemptReplication(options, link, row, { ...place }, signal)
      .then((outcome) => ended(link, row, outcome))
      // The lease ends by itself and another attempt follows.
      .catch((error) => log.error({ error, replication: row.id }, "could not record a replication"))
      .finally(() => {
        if (probe) link.probing = false;
        if (row.backlog === 1) link.backlogImages[lane]--;
        running.delete(attempt);
        wake();
      });
    running.add(attempt);
  }

  async function ended(link: Link, row: ClaimedReplication, outcome: AttemptOutcome) {
    const { region } = link;
    metrics.attempts.add(1, { region, outcome: outcome.kind });
    if (outcome.kind === "released" || outcome.kind === "lost") return;
    const failure = "failure" in outcome ? outcome.failure : undefined;
    if (failure !== undefined) report(row, failure);
    if (failure?.kind.opensCircuit) {
      if (!link.circuit.failed(clock.now())) return;
      metrics.circuitOpen.set(1, { region });
      await noteOutage(region, failure);
      log.warn({ region, code: failure.code }, "a destination is out of reach; its queue waits");
    } else if (failure?.kind.side !== "source") {
      // It answered, be it with a refusal.
      await noteReach(region);
      if (!link.circuit.succeeded()) return;
      metrics.circuitOpen.set(0, { region });
      log.info({ region }, "a destination is back");
      const now = clock.now();
      await write(metadata, (tx) => hastenReplications(tx, { region, now, codes: outageCodes }));
    }
  }

  async function noteOutage(region: string, { code, message: text }: ReplicationFailure) {
    reached.delete(region);
    const since = clock.now();
    await write(metadata, (tx) => noteUnreachable(tx, { region, since, code, text }));
  }

  /** The first time, and after every outage: a process before this one may have noted one. */
  async function noteReach(region: string) {
    if (reached.has(region)) return;
    reached.add(region);
    await write(metadata, (tx) => noteReachable(tx, region));
  }

  function report(row: ClaimedReplication, failure: ReplicationFailure): void {
    const { code, message: text } = failure;
    const { side, terminal } = failure.kind;
    metrics.failures.add(1, { region: row.destination_region, code, side });
    const { account, repository, digest, tag, attempts } = row;
    const region = row.destination_region;
    const fields = { region, account, repository, digest, tag, attempts, code, side, text };
    if (terminal) log.warn(fields, "a replication failed for good");
    else log.info(fields, "a replication failed and will be tried again");
  }

  /** What no claim would come across. */
  async function sweep(): Promise<void> {
    const now = clock.now();
    if (Math.abs(now - sweptAt) < sweepMilliseconds) return;
    sweptAt = now;
    const regions = links.map(({ region }) => region);
    const text = "the chart of this region does not have it";
    const failure = { code: "region_unknown", side: "source", text, now } as const;
    const latest =
      now +
      Math.max(
        settings.backOff.limitMilliseconds,
        settings.refusalBackOff.limitMilliseconds,
        settings.leaseMilliseconds,
      );
    await write(metadata, async (tx) => {
      await noteUnknownRegions(tx, regions, failure);
      await hastenImplausible(tx, { now, latest });
    });
  }

  function wake(): void {
    hint.abort();
  }

  async function settled(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  async function run(): Promise<void> {
    let mustEndLeases = options.soleWorker;
    while (!stopping.signal.aborted) {
      // Renewed before the tick, so that a call during it is not lost.
      hint = new AbortController();
      let wait = settings.pollMilliseconds;
      try {
        if (mustEndLeases) await write(metadata, (tx) => endReplicationLeases(tx, clock.now()));
        mustEndLeases = false;
        wait = await tick();
      } catch (error) {
        log.error({ error }, "could not look for replications that are due");
      }
      if (!stopping.signal.aborted && wait > 0) await clock.sleep(wait, hint.signal);
    }
  }

  return {
    tick,
    wake,
    settled,
    start() {
      loop ??= run();
    },
    async stop() {
      stopping.abort();
      wake();
      await loop;
      await settled();
    },
  };
}
