/**
 * The race "a push reuses a blob that is being collected", in every order that a few preemptions, a
 * death of the collector or the loss of its database session can make.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { type ExploreOptions, explore } from "../support/interleaving.ts";
import { administrate, metadataEngines, type TestDatabase } from "../support/metadata-stores.ts";
import { memoryDirectory, type TemporaryDirectory } from "../support/temporary-directory.ts";
import {
  bytesAfterTheCommit,
  withoutHoldingLinks,
  withoutHoldingRows,
  withoutLookingForBytes,
  withoutLookingForLinks,
  withoutLookingForReferences,
  withoutLookingForTouches,
  withoutTheWayBack,
} from "./broken-guards.ts";
import { type Beginning, type PushWorldOptions, pushWorld, type Reuse } from "./push-world.ts";

const engines = metadataEngines.filter(({ name }) => name !== "sqlite in memory");

describe.each(engines)("$name", ({ name, available, createDatabase }) => {
  describe.skipIf(!available)("a push meets a collection", () => {
    let database: TestDatabase | undefined;
    let directory: TemporaryDirectory | undefined;
    let connections: MetadataStore[];
    beforeAll(async () => {
      connections = [];
      if (name === "sqlite") {
        // Nothing here is about the disk.
        directory = memoryDirectory();
        const path = join(directory.path, "metadata.db");
        for (let i = 0; i < 3; i++) connections.push(await sqliteMetadataStore({ path, now: 1 }));
      } else {
        database = await createDatabase();
        for (let i = 0; i < 3; i++) connections.push(await database.open());
      }
    });
    afterAll(async () => {
      for (const connection of connections) await connection.close();
      await database?.[Symbol.asyncDispose]();
      directory?.remove();
    });

    async function race(
      reuse: Reuse,
      world: Omit<PushWorldOptions, "metadata">,
      options: Partial<ExploreOptions> = {},
    ) {
      const [metadata, collector, pusher] = connections;
      if (!metadata || !collector || !pusher) throw new Error("three connections");
      const { setUp, blobs, collect, reuse: pushTask, check } = pushWorld({ ...world, metadata });
      const scenario = { setUp, tasks: { collector: collect, push: pushTask(reuse) }, check };
      return explore(scenario, {
        metadata: { collector, push: pusher },
        blobs,
        preemptions: 2,
        ...(name === "postgres" && { blockedSessions: () => blockedSessions(database) }),
        ...options,
      });
    }

    const cases: [Beginning, Reuse][] = [
      ["link", "upload"],
      ["link", "upload to old"],
      ["link", "ask"],
      ["link", "mount"],
      ["link", "manifest"],
      ["row", "upload"],
      ["row", "ask"],
      ["row", "mount"],
      ["bytes", "upload"],
      ["hint", "upload"],
    ];

    test.each(cases)("%s, %s: in no order is anything lost", async (beginning, reuse) => {
      const { runs, violations } = await race(reuse, { beginning });
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(10);
    });

    test.each(cases)("%s, %s: nor when the collector fails", async (beginning, reuse) => {
      const { runs, violations } = await race(reuse, { beginning }, faults);
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(10);
    });

    test.each(cases)("%s, %s: nor when clocks are wrong", async (beginning, reuse) => {
      const { violations } = await race(reuse, { beginning, clockAhead: true });
      expect(violations).toEqual([]);
    });

    describe("the checker notices a collector", () => {
      test("that does not look for links", async () => {
        const world = {
          beginning: "row",
          breakCollector: withoutLookingForLinks,
          clockAhead: true,
        } as const;
        expect(await losses("upload", world)).toContain("the blob's bytes are lost");
      });

      test("that does not look for references", async () => {
        const world = {
          beginning: "link",
          breakCollector: withoutLookingForReferences,
          clockAhead: true,
        } as const;
        expect(await losses("manifest", world)).toContain("the link in old is lost");
      });

      test("that does not look for touches", async () => {
        const world = { beginning: "link", breakCollector: withoutLookingForTouches } as const;
        expect(await losses("ask", world)).toContain("manifest_references_unknown");
      });

      test("that takes the bytes after its commit", async () => {
        const world = { beginning: "row", breakCollector: bytesAfterTheCommit } as const;
        expect(await losses("upload", world)).toContain("the blob's bytes are lost");
      });

      test("that cannot put back what it took", async () => {
        const world = { beginning: "row", breakCollector: withoutTheWayBack } as const;
        expect(await losses("upload", world, faults)).toContain("the blob's bytes are lost");
      });

      test.skipIf(name === "sqlite")("that does not hold rows", async () => {
        const world = { beginning: "row", breakCollector: withoutHoldingRows } as const;
        expect(await losses("upload", world)).toContain("the blob's bytes are lost");
      });
    });

    describe("the checker notices a push", () => {
      test("that does not look for the bytes", async () => {
        const world = { beginning: "row", breakPush: withoutLookingForBytes } as const;
        expect(await losses("upload", world)).toContain("the blob's bytes are lost");
      });

      test.skipIf(name === "sqlite")("that does not hold its links", async () => {
        const world = { beginning: "link", breakPush: withoutHoldingLinks } as const;
        expect(await losses("manifest", world)).toContain("the link in old is lost");
      });
    });

    /** What the first wrong run lost; empty when every run was right. */
    async function losses(
      reuse: Reuse,
      world: Omit<PushWorldOptions, "metadata">,
      options: Partial<ExploreOptions> = {},
    ): Promise<string> {
      const { violations } = await race(reuse, world, { ...options, untilViolation: true });
      return violations.flatMap(({ texts }) => texts).join("\n");
    }
  });
});

/** The collector may die, or lose its session without noticing, at any step. */
const faults = { preemptions: 1, crashes: ["collector"], lostSessions: ["collector"] };

async function blockedSessions(database: TestDatabase | undefined): Promise<number> {
  const name = new URL(database?.location ?? "").pathname.slice(1);
  const rows = await administrate(
    `select count(*)::int as blocked from pg_stat_activity
     where datname = '${name}' and wait_event_type = 'Lock'`,
  );
  return Number(rows[0]?.blocked);
}
