/** One run: a seed in, a verdict out. The same seed gives the same run, event by event. */
import { createHash } from "node:crypto";
import { collectGarbage } from "../../src/registry/collect-garbage.ts";
import { createRepository } from "../../src/registry/create-repository.ts";
import { defaultRepositorySettings } from "../../src/registry/repository-settings.ts";
import { scrub } from "../../src/registry/scrub.ts";
import {
  putReplicationConfiguration,
  type ReplicationRule,
} from "../../src/replication/configuration.ts";
import { chance } from "./chance.ts";
import { checks, Violation } from "./checks.ts";
import { account, actor, type Ledger, runClient } from "./clients.ts";
import { drawFaults, type Faults } from "./faults.ts";
import { frozenGlobals } from "./globals.ts";
import { network } from "./network.ts";
import { DiskFull, type SimulatedRegion, simulatedRegion } from "./node.ts";
import { scheduler } from "./scheduler.ts";

export interface Run {
  readonly seed: number;
  readonly faults: Faults;
  /** What is wrong; undefined when nothing is. */
  readonly violation: string | undefined;
  /** Over everything that happened, in order. */
  readonly hash: string;
  readonly events: number;
  readonly pushes: number;
  readonly crashes: number;
  readonly virtualMilliseconds: number;
  /** The end of it, or all of it when asked for. */
  readonly trace: readonly string[];
}

export interface RunOptions {
  readonly keepTrace?: boolean;
  readonly faults?: Partial<Faults>;
}

const start = 1_800_000_000_000;
const names = ["us-east-1", "eu-west-1", "sa-east-1", "ap-south-1"];
/** Faults and clients end by then. */
const troubleMilliseconds = 10 * 60_000;
/** Longer than any back-off and any lease, several times. */
const liveMilliseconds = 60 * 60_000;
/** Between two looks at everything. */
const fullCheckEvents = 400;
const traceLimit = 400;

export async function simulate(seed: number, options: RunOptions = {}): Promise<Run> {
  const unhandled: unknown[] = [];
  const result = await frozenGlobals(
    () => run(seed, options, () => unhandled[0]),
    (error) => void unhandled.push(error),
  );
  return result;
}

async function run(seed: number, options: RunOptions, unhandled: () => unknown): Promise<Run> {
  const random = chance(seed);
  const faults: Faults = { ...drawFaults(random), ...options.faults };
  const time = scheduler(start);
  const hash = createHash("sha256");
  const lines: string[] = [];
  const trace = (text: string) => {
    if (process.env.SIM_LIVE)
      console.log(((time.now - start) / 1000).toFixed(3), time.events, text);
    const line = `${((time.now - start) / 1000).toFixed(3).padStart(9)} ${text}`;
    hash.update(line);
    lines.push(line);
    if (!options.keepTrace && lines.length > traceLimit * 2) lines.splice(0, traceLimit);
  };
  const found: { violation?: string; crashes: number } = { crashes: 0 };
  const fail = (text: string) => {
    found.violation ??= text;
  };
  const ledger: Ledger = { acknowledged: [], mayBeGone: new Set() };
  const used = names.slice(0, faults.regions);
  const regions: SimulatedRegion[] = [];
  const regionOf = (name: string) => {
    const region = regions.find((each) => each.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region;
  };
  for (const name of used) {
    const fork = random.fork();
    regions.push(
      await simulatedRegion({ name, names: used, time, random: fork, faults, onError: fail }),
    );
  }
  const net = network({ time, random: random.fork(), faults, region: regionOf, trace });
  const begin = (region: SimulatedRegion) =>
    region.start((to, alive) => net.peer(region.name, to, alive));
  const immutable = new Set<string>();
  const check = checks({ regions, ledger, immutable });
  let over = false;
  let nextFullCheck = fullCheckEvents;

  await setUp();
  const clients = regions.flatMap((region) =>
    faults.topology === "one-way" && region !== regions[0]
      ? []
      : Array.from({ length: faults.clientsPerRegion }, (_, i) =>
          runClient({
            name: `${region.name}/${i}`,
            region,
            time,
            random: random.fork(),
            operations: faults.operations,
            deletes: faults.deletes,
            ledger,
            trace,
          }),
        ),
  );
  for (const client of clients) client.catch((error: Error) => fail(error.stack ?? String(error)));
  const tormentors = [
    partitions(),
    ...regions.flatMap((each) => [crashes(each), jumps(each), upkeep(each)]),
  ];
  if (faults.changesRules) tormentors.push(rules());
  for (const each of tormentors) each.catch((error: Error) => fail(error.stack ?? String(error)));

  await guarded(async () => {
    await time.runUntil(start + troubleMilliseconds, afterEvent, isOver);
    if (!isOver()) await peace();
  });
  const violation = found.violation;
  return {
    seed,
    faults,
    violation,
    hash: hash
      .update(violation ?? "")
      .digest("hex")
      .slice(0, 16),
    events: time.events,
    pushes: ledger.acknowledged.length,
    crashes: found.crashes,
    virtualMilliseconds: time.now - start,
    trace: options.keepTrace ? lines : lines.slice(-traceLimit),
  };

  function isOver(): boolean {
    return found.violation !== undefined;
  }

  async function setUp(): Promise<void> {
    for (const region of regions) {
      region.calm = true;
      begin(region);
    }
    const setting = regions.map(async (region) => {
      const context = region.current()?.context;
      if (context === undefined) throw new Error("it was just started");
      await configure(region, used.length);
      if (faults.immutableRepository && region === regions.at(-1)) {
        immutable.add(`${region.name} lib/base`);
        await createRepository(
          context,
          { account, repository: "lib/base", actor },
          { settings: { ...defaultRepositorySettings, tagMutability: "IMMUTABLE" } },
        );
      }
    });
    let ready = false;
    const all = Promise.all(setting).then(() => {
      ready = true;
    });
    all.catch((error: Error) => fail(error.stack ?? String(error)));
    await time.runUntil(
      start + 60_000,
      async () => {},
      () => ready || isOver(),
    );
    for (const region of regions) {
      region.calm = false;
      region.clockOffsetMilliseconds = random.between(0, faults.clockSkewMilliseconds);
    }
  }

  function rulesOf(region: SimulatedRegion, most: number): ReplicationRule[] {
    const others = used.filter((name) => name !== region.name);
    const next = used[(used.indexOf(region.name) + 1) % used.length] ?? "";
    const to =
      faults.topology === "mesh"
        ? others
        : faults.topology === "ring"
          ? [next]
          : region === regions[0]
            ? others
            : [];
    const destinations = to.slice(0, most).map((name) => ({ region: name, registryId: account }));
    return destinations.length === 0 ? [] : [{ destinations }];
  }

  async function configure(region: SimulatedRegion, most: number): Promise<void> {
    const context = region.current()?.context;
    if (context === undefined) return;
    await putReplicationConfiguration(context, {
      account,
      configuration: { rules: rulesOf(region, most) },
      actor,
    });
  }

  async function afterEvent(): Promise<void> {
    const rejection = unhandled();
    if (rejection !== undefined) fail(`unhandled: ${(rejection as Error).stack ?? rejection}`);
    await guarded(async () => {
      if (time.events % 10 === 0) {
        for (const region of regions) if (!region.isBusy) await check.versions(region);
      }
      if (time.events >= nextFullCheck && !regions.some((each) => each.isBusy)) {
        nextFullCheck = time.events + fullCheckEvents;
        await checkAll();
      }
    });
  }

  async function checkAll(): Promise<void> {
    for (const region of regions) {
      await check.versions(region);
      await check.closures(region);
    }
    await check.acknowledgements();
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      fail(error instanceof Violation ? error.message : ((error as Error).stack ?? String(error)));
    }
  }

  /** Faults stop: from here on everything must come right by itself. */
  async function peace(): Promise<void> {
    over = true;
    net.calm = true;
    net.mend();
    trace("faults stop");
    const slowest = Math.max(...regions.map((each) => each.clockOffsetMilliseconds));
    for (const region of regions) {
      region.calm = true;
      // Never backwards: what was written must not lie in the future for longer than it does.
      region.clockOffsetMilliseconds = slowest;
      if (region.current() === undefined) begin(region);
    }
    let quiet = false;
    const until = time.now + liveMilliseconds;
    let looked = time.now;
    const look = async () => {
      await afterEvent();
      if (time.now - looked < 20_000 || regions.some((each) => each.isBusy)) return;
      looked = time.now;
      quiet = (await check.pending()).length === 0;
    };
    await time.runUntil(until, look, () => quiet || isOver());
    if (isOver()) return;
    await checkAll();
    await check.convergence({
      mesh: faults.topology === "mesh" && !faults.changesRules,
      deletes: faults.deletes,
    });
  }

  async function partitions(): Promise<void> {
    if (faults.partitionEveryMilliseconds === 0) return;
    const own = random.fork();
    while (!over) {
      await time.sleep(own.next() * 2 * faults.partitionEveryMilliseconds);
      if (over) return;
      const [from, to] = [own.pick(used), own.pick(used)];
      const both = own.happens(0.5);
      trace(`cut ${from} ${both ? "<>" : ">"} ${to}`);
      net.cut(from, to);
      if (both) net.cut(to, from);
      await time.sleep(own.next() * 2 * faults.partitionMilliseconds);
      trace("mended");
      net.mend();
    }
  }

  async function crashes(region: SimulatedRegion): Promise<void> {
    if (faults.crashEveryMilliseconds === 0) return;
    const own = random.fork();
    while (!over) {
      await time.sleep(own.next() * 2 * faults.crashEveryMilliseconds);
      if (over) return;
      trace(`${region.name} dies`);
      found.crashes++;
      region.crash();
      await time.sleep(own.between(1, 20_000));
      if (over || region.current() !== undefined) return;
      trace(`${region.name} starts`);
      begin(region);
    }
  }

  async function jumps(region: SimulatedRegion): Promise<void> {
    if (!faults.clockJumps) return;
    const own = random.fork();
    while (!over) {
      await time.sleep(own.between(10_000, 120_000));
      if (over) return;
      region.clockOffsetMilliseconds = own.between(0, Math.max(1000, faults.clockSkewMilliseconds));
      trace(`the clock of ${region.name} jumps to +${region.clockOffsetMilliseconds}`);
    }
  }

  async function upkeep(region: SimulatedRegion): Promise<void> {
    if (!faults.collectsGarbage) return;
    const own = random.fork();
    while (!over) {
      await time.sleep(own.between(20_000, 200_000));
      const context = region.current()?.context;
      if (over || context === undefined) continue;
      const work = own.happens(0.7) ? collectGarbage(context, { dryRun: false }) : scrub(context);
      await Promise.race([work, time.sleep(60_000)]).catch((error: Error) => {
        if (!(error instanceof DiskFull) && !(error.cause instanceof DiskFull)) throw error;
      });
    }
  }

  async function rules(): Promise<void> {
    const own = random.fork();
    while (!over) {
      await time.sleep(own.between(10_000, 100_000));
      if (over) return;
      const region = own.pick(regions);
      const most = own.between(0, used.length);
      trace(`rules of ${region.name}: ${most}`);
      await Promise.race([configure(region, most), time.sleep(60_000)]).catch((error: Error) => {
        if (!(error instanceof DiskFull) && !(error.cause instanceof DiskFull)) throw error;
      });
    }
  }
}
