/**
 * Runs concurrent tasks in every order that a bounded number of preemptions, crashes and lost
 * database sessions can make, and checks the result of each.
 *
 * Each task works on stores that wait at every step for the explorer's permission: before a read,
 * before a transaction, before each of its statements, before its commit, and around what moves
 * bytes. A run is a list of decisions; the next runs differ from it in one more decision.
 * Musuvathi and Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded
 * Programs" (2007): most errors need two preemptions or fewer.
 */
import type { BlobStage, BlobStore, WithdrawnBlob } from "../../src/blobs/blob-store.ts";
import type { MetadataStore, SqlValue, Transaction } from "../../src/metadata/metadata-store.ts";

export interface TaskStores {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

export interface Scenario {
  /** Brings the stores to where every run begins. */
  setUp(): Promise<void>;
  readonly tasks: Readonly<Record<string, (stores: TaskStores) => Promise<void>>>;
  /** What is wrong after a run; empty when nothing is. */
  check(): Promise<readonly string[]>;
}

export interface ExploreOptions {
  /** One connection per task: they are processes of their own. */
  readonly metadata: Readonly<Record<string, MetadataStore>>;
  /** The one that all tasks share in this run. */
  readonly blobs: () => BlobStore;
  /** How often a task that could go on is interrupted. */
  readonly preemptions: number;
  /** Tasks that may die at any step, at most one in a run. */
  readonly crashes?: readonly string[];
  /** Tasks whose database session may end inside a transaction without their noticing. */
  readonly lostSessions?: readonly string[];
  /** Only before these steps; absent: before any. */
  readonly faultsBefore?: RegExp;
  /**
   * The number of sessions that wait for a lock. Absent: transactions come one after another, and
   * nobody can see how far one has come, so that their statements are no steps.
   */
  readonly blockedSessions?: () => Promise<number>;
  /** Ends the search after the first run that is wrong. */
  readonly untilViolation?: boolean;
  readonly runsLimit?: number;
}

export interface Violation {
  readonly texts: readonly string[];
  /** The steps in their order, for a person. */
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly runs: number;
  readonly violations: readonly Violation[];
}

type Decision = { readonly kind: "step" | "crash" | "lose"; readonly task: string };

interface DecisionPoint {
  readonly options: readonly Decision[];
  readonly taken: Decision;
}

class Crashed extends Error {}
class SessionLost extends Error {}

export async function explore(scenario: Scenario, options: ExploreOptions): Promise<Exploration> {
  const violations: Violation[] = [];
  const pending: Decision[][] = [[]];
  let runs = 0;
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    if (runs === (options.runsLimit ?? Number.POSITIVE_INFINITY)) break;
    runs++;
    await scenario.setUp();
    const { points, trace } = await runOnce(scenario, options, prefix);
    const texts = await scenario.check();
    if (texts.length > 0) {
      violations.push({ texts, trace });
      if (options.untilViolation) break;
    }
    const taken = points.map((point) => point.taken);
    for (let i = points.length - 1; i >= prefix.length; i--) {
      for (const other of points[i]?.options ?? []) {
        const next = [...taken.slice(0, i), other];
        if (isDifferent(other, taken[i]) && isWithinBounds(next, points, options))
          pending.push(next);
      }
    }
  }
  return { runs, violations };
}

function isDifferent(a: Decision, b: Decision | undefined): boolean {
  return a.kind !== b?.kind || a.task !== b.task;
}

function isWithinBounds(
  decisions: readonly Decision[],
  points: readonly DecisionPoint[],
  { preemptions }: ExploreOptions,
): boolean {
  let switches = 0;
  let faults = 0;
  for (const [i, decision] of decisions.entries()) {
    if (decision.kind !== "step") {
      faults++;
      continue;
    }
    const previous = decisions[i - 1];
    const couldGoOn = points[i]?.options.some(
      ({ kind, task }) => kind === "step" && task === previous?.task,
    );
    if (previous !== undefined && previous.task !== decision.task && couldGoOn) switches++;
  }
  return switches <= preemptions && faults <= 1;
}

interface Gate {
  readonly label: string;
  readonly needsWriter: boolean;
  readonly open: () => void;
  readonly fail: (error: Error) => void;
}

class Task {
  gate: Gate | undefined;
  ended = false;
  crashed = false;
  /** Inside a transaction that the database still knows. */
  session: { lose: () => void } | undefined;
  private readonly watchers = new Set<() => void>();
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Where the explorer decides who goes on. */
  step(label: string, needsWriter = false): Promise<void> {
    // A dead process does nothing any more, not even clean up.
    if (this.crashed) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      this.gate = { label, needsWriter, open: resolve, fail: reject };
      this.changed();
    });
  }

  get settled(): boolean {
    if (this.crashed) return this.session === undefined;
    return this.ended || this.gate !== undefined;
  }

  changed() {
    for (const watcher of [...this.watchers]) watcher();
  }

  async untilSettled(): Promise<void> {
    while (!this.settled) {
      await new Promise<void>((resolve) => {
        const watcher = () => {
          this.watchers.delete(watcher);
          resolve();
        };
        this.watchers.add(watcher);
      });
    }
  }
}

async function runOnce(
  scenario: Scenario,
  options: ExploreOptions,
  prefix: readonly Decision[],
): Promise<{ points: DecisionPoint[]; trace: string[] }> {
  const tasks = Object.entries(scenario.tasks).map(([name, work]) => {
    const task = new Task(name);
    const metadata = options.metadata[name];
    if (metadata === undefined) throw new Error(`${name} has no connection`);
    const stores = {
      metadata: steppedMetadata(metadata, task, options.blockedSessions !== undefined),
      blobs: steppedBlobs(options.blobs(), task),
    };
    const ended = () => {
      task.ended = true;
      task.changed();
    };
    // The tasks record by themselves what became of them.
    work(stores).then(ended, ended);
    return task;
  });
  const points: DecisionPoint[] = [];
  const trace: string[] = [];
  let current: string | undefined;
  for (;;) {
    await untilAllSettled(tasks, options);
    const enabled = tasks.filter((task) => isEnabled(task, tasks, options));
    if (enabled.length === 0) {
      if (tasks.every(({ ended, crashed }) => ended || crashed)) break;
      const running = tasks.filter((task) => !task.settled);
      if (running.length === 0) throw new Error(`nobody can go on: ${trace.join("; ")}`);
      // The database seemed to hold them when we looked, and has let go.
      await Promise.race(running.map((task) => task.untilSettled()));
      continue;
    }
    const choices = choicesOf(enabled, tasks, options);
    const wanted = prefix[points.length];
    const taken =
      choices.find(({ kind, task }) => kind === wanted?.kind && task === wanted.task) ??
      choices.find(({ kind, task }) => kind === "step" && task === current) ??
      choices[0];
    const task = tasks.find(({ name }) => name === taken?.task);
    if (taken === undefined || task === undefined) throw new Error("there is no such task");
    points.push({ options: choices, taken });
    trace.push(
      `${taken.kind === "step" ? "" : `${taken.kind}: `}${task.name}: ${task.gate?.label}`,
    );
    if (taken.kind === "lose") {
      task.session?.lose();
      await untilSessionEnded(task);
      continue;
    }
    const gate = task.gate;
    task.gate = undefined;
    if (taken.kind === "crash") {
      task.crashed = true;
      gate?.fail(new Crashed());
      await untilSessionEnded(task);
    } else {
      current = task.name;
      gate?.open();
    }
  }
  return { points, trace };
}

function choicesOf(
  enabled: readonly Task[],
  tasks: readonly Task[],
  { crashes = [], lostSessions = [], faultsBefore = /^/ }: ExploreOptions,
): Decision[] {
  const alive = (names: readonly string[]) =>
    tasks.filter(({ name, gate }) => gate && faultsBefore.test(gate.label) && names.includes(name));
  return [
    ...enabled.map(({ name }) => ({ kind: "step" as const, task: name })),
    ...alive(crashes).map(({ name }) => ({ kind: "crash" as const, task: name })),
    ...alive(lostSessions)
      .filter(({ session }) => session !== undefined)
      .map(({ name }) => ({ kind: "lose" as const, task: name })),
  ];
}

function isEnabled(task: Task, tasks: readonly Task[], options: ExploreOptions): boolean {
  if (task.gate === undefined) return false;
  if (options.blockedSessions !== undefined || !task.gate.needsWriter) return true;
  return tasks.every((other) => other === task || other.session === undefined);
}

/** Every task stands before a step, has ended, or waits in the database for another one. */
async function untilAllSettled(tasks: readonly Task[], options: ExploreOptions): Promise<void> {
  const { blockedSessions } = options;
  let seenBlocked = 0;
  for (;;) {
    const running = tasks.filter((task) => !task.settled);
    if (running.length === 0) return;
    const settled = Promise.race(running.map((task) => task.untilSettled()));
    if (blockedSessions === undefined) {
      await settled;
      continue;
    }
    const moved = await Promise.race([
      settled.then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 2)),
    ]);
    if (moved) continue;
    const blocked = await blockedSessions();
    const still = tasks.filter((task) => !task.settled).length;
    seenBlocked = blocked >= still ? seenBlocked + 1 : 0;
    if (still > 0 && still < tasks.length && seenBlocked === 2) return;
  }
}

async function untilSessionEnded(task: Task): Promise<void> {
  while (task.session !== undefined) await new Promise((resolve) => setImmediate(resolve));
}

function steppedMetadata(base: MetadataStore, task: Task, statements: boolean): MetadataStore {
  return {
    name: base.name,
    read: {
      dialect: base.read.dialect,
      async all<Row>(sql: string, parameters?: readonly SqlValue[]) {
        await task.step(`read ${short(sql)}`);
        return base.read.all<Row>(sql, parameters);
      },
    },
    async transaction(work, options) {
      await task.step("begin", true);
      const lost = Promise.withResolvers<never>();
      lost.promise.catch(() => {});
      let isLost = false;
      let working: Promise<unknown> | undefined;
      const guard = <T>(value: T): T => {
        if (isLost) throw new SessionLost("the session is lost");
        return value;
      };
      const attempt = async (tx: Transaction) => {
        const own = work({
          dialect: tx.dialect,
          async all<Row>(sql: string, parameters?: readonly SqlValue[]) {
            if (statements) await task.step(short(sql));
            return guard(tx).all<Row>(sql, parameters);
          },
          afterCommit: (action) => tx.afterCommit(action),
        }).then(async (result) => {
          await task.step("commit");
          return guard(result);
        });
        working = own;
        own.catch(() => {});
        return Promise.race([own, lost.promise]);
      };
      task.session = {
        lose() {
          isLost = true;
          lost.reject(new SessionLost("the session is lost"));
        },
      };
      const running = base.transaction(attempt, options).finally(() => {
        task.session = undefined;
        task.changed();
      });
      try {
        return await running;
      } catch (error) {
        // Our process knows nothing of it yet, and goes on as far as it can without the database.
        await working?.catch(() => {});
        throw error;
      }
    },
    close: async () => {},
  };
}

function steppedBlobs(base: BlobStore, task: Task): BlobStore {
  const stepped = (blob: WithdrawnBlob): WithdrawnBlob => ({
    ...blob,
    async restore() {
      await task.step("restore");
      await blob.restore();
    },
    async destroy() {
      await task.step("destroy");
      await blob.destroy();
    },
    async quarantine() {
      await task.step("quarantine");
      await blob.quarantine();
    },
  });
  return {
    ...base,
    async stat(digest) {
      await task.step("stat");
      return base.stat(digest);
    },
    async read(digest) {
      await task.step("read bytes");
      return base.read(digest);
    },
    async stage(uploadId) {
      const stage = await base.stage(uploadId);
      const publish: BlobStage["publish"] = async (digest) => {
        await task.step("publish");
        await stage.publish(digest);
      };
      return {
        uploadId,
        get size() {
          return stage.size;
        },
        append: (chunks) => stage.append(chunks),
        read: () => stage.read(),
        publish,
        discard: () => stage.discard(),
      };
    },
    async withdraw(digest, id) {
      await task.step("withdraw");
      const blob = await base.withdraw(digest, id);
      return blob && stepped(blob);
    },
    async *withdrawn() {
      for await (const blob of base.withdrawn()) yield stepped(blob);
    },
  };
}

function short(sql: string): string {
  return sql.replace(/\s+/g, " ").trim().slice(0, 60);
}
