/** Connections for an exploration: one per task, as if each were a process of its own. */
import { join } from "node:path";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import {
  type Exploration,
  type ExploreOptions,
  explore,
  type Scenario,
} from "../support/interleaving.ts";
import { type MetadataEngine, metadataEngines } from "../support/metadata-stores.ts";
import { memoryDirectory } from "../support/temporary-directory.ts";
import { type PushWorld, type PushWorldOptions, pushWorld } from "./push-world.ts";

/** In memory there is one connection, so that no two processes can meet. */
export const engines = metadataEngines.filter(({ name }) => name !== "sqlite in memory");

/** Explore everything on PostgreSQL too, where each statement is a step and a round trip. */
export const thorough = process.env.PORTOLAN_INTERLEAVING === "all";

export type RaceOptions = Partial<Omit<ExploreOptions, "metadata" | "blobs">>;

export interface Race extends AsyncDisposable {
  run(
    world: Omit<PushWorldOptions, "metadata">,
    tasks: (world: PushWorld) => Scenario["tasks"],
    options?: RaceOptions,
  ): Promise<Exploration>;
}

export async function openRace(engine: MetadataEngine): Promise<Race> {
  const stack = new AsyncDisposableStack();
  const open = await opener(engine, stack);
  const connections: MetadataStore[] = [];
  for (let i = 0; i < 4; i++) connections.push(await open.connect());
  const [own, ...others] = connections;
  if (own === undefined) throw new Error("there is no connection");
  const preemptions = engine.name === "sqlite" || thorough ? 2 : 1;

  return {
    run(options, tasksOf, exploreOptions = {}) {
      const world = pushWorld({ ...options, metadata: own });
      const tasks = tasksOf(world);
      const metadata: Record<string, MetadataStore> = {};
      for (const [i, name] of Object.keys(tasks).entries()) {
        const connection = others[i];
        if (connection === undefined) throw new Error("there are not enough connections");
        metadata[name] = connection;
      }
      const { setUp, check, blobs } = world;
      return explore(
        { setUp, check, tasks },
        {
          metadata,
          blobs,
          preemptions,
          ...(open.blockedSessions && { blockedSessions: open.blockedSessions }),
          ...exploreOptions,
        },
      );
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface Opener {
  connect(): Promise<MetadataStore>;
  readonly blockedSessions?: () => Promise<number>;
}

async function opener(engine: MetadataEngine, stack: AsyncDisposableStack): Promise<Opener> {
  const tracked = async (opening: Promise<MetadataStore>) => {
    const store = await opening;
    stack.defer(() => store.close());
    return store;
  };
  if (engine.name === "sqlite") {
    // Nothing here is about the disk.
    const directory = stack.use(memoryDirectory());
    const path = join(directory.path, "metadata.db");
    return { connect: () => tracked(sqliteMetadataStore({ path, now: 1 })) };
  }
  const database = stack.use(await engine.createDatabase());
  const watcher = new Bun.SQL(database.location, { max: 1 });
  stack.defer(() => watcher.close());
  return {
    connect: () => tracked(database.open()),
    async blockedSessions() {
      const rows = await watcher.unsafe(
        `select count(*)::int as blocked from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return Number(rows[0]?.blocked);
    },
  };
}
