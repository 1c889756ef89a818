/**
 * The race "a push reuses a blob that is being collected", in every order that a few preemptions, a
 * death of the collector or the loss of its database session can make. And the same with each guard
 * taken out, to see that a loss is noticed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
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
import type { Beginning, PushWorldOptions, Reuse } from "./push-world.ts";
import { engines, openRace, type Race, type RaceOptions, thorough } from "./race.ts";

type World = Omit<PushWorldOptions, "metadata">;

const cases: [Beginning, Reuse][] = [
  ["row", "upload"],
  ["link", "upload"],
  ["link", "upload to old"],
  ["link", "ask"],
  ["link", "mount"],
  ["link", "manifest"],
  ["row", "ask"],
  ["row", "mount"],
  ["bytes", "upload"],
  ["hint", "upload"],
];

describe.each(engines)("$name", (engine) => {
  const { name, available } = engine;
  const everything = name === "sqlite" || thorough;

  describe.skipIf(!available)("a push meets a collection", () => {
    let race: Race;
    beforeAll(async () => {
      race = await openRace(engine);
    });
    afterAll(() => race[Symbol.asyncDispose]());

    function meet(reuse: Reuse, world: World, options: RaceOptions = {}) {
      return race.run(
        world,
        ({ collect, reuse: push }) => ({ collector: collect, push: push(reuse) }),
        options,
      );
    }

    /** The collector may die, or lose its session without noticing, at any step. */
    const faults: RaceOptions = {
      preemptions: 1,
      lostSessions: ["collector"],
      ...(everything && { crashes: ["collector"] }),
    };

    test.each(cases)("%s, %s: in no order is anything lost", async (beginning, reuse) => {
      const { runs, violations } = await meet(reuse, { beginning });
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(5);
    });

    const failing = everything ? cases : cases.slice(0, 1);
    test.each(failing)("%s, %s: nor when the collector fails", async (beginning, reuse) => {
      const { runs, violations } = await meet(reuse, { beginning }, faults);
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(5);
    });

    test.each(cases)("%s, %s: nor when clocks are wrong", async (beginning, reuse) => {
      const { violations } = await meet(reuse, { beginning, clockAhead: true });
      expect(violations).toEqual([]);
    });

    test("two collections at once lose nothing either", async () => {
      const { violations } = await race.run(
        { beginning: "link" },
        ({ collect, reuse }) => ({ first: collect, second: collect, push: reuse("upload") }),
        { preemptions: 1 },
      );
      expect(violations).toEqual([]);
    });

    /** What the first wrong run lost; empty when every run was right. */
    async function losses(reuse: Reuse, world: World, options: RaceOptions = {}): Promise<string> {
      const { violations } = await meet(reuse, world, {
        preemptions: 2,
        ...options,
        untilViolation: true,
      });
      return violations.flatMap(({ texts }) => texts).join("\n");
    }

    const collectors: [string, Reuse, World, string, RaceOptions?][] = [
      [
        "does not look for links",
        "upload",
        { beginning: "row", breakCollector: withoutLookingForLinks, clockAhead: true },
        "the blob's bytes are lost",
      ],
      [
        "does not look for references",
        "manifest",
        { beginning: "link", breakCollector: withoutLookingForReferences, clockAhead: true },
        "the link in old is lost",
      ],
      [
        "does not look for touches",
        "ask",
        { beginning: "link", breakCollector: withoutLookingForTouches },
        "manifest_references_unknown",
      ],
      [
        "takes the bytes after its commit",
        "upload",
        { beginning: "row", breakCollector: bytesAfterTheCommit },
        "the blob's bytes are lost",
      ],
      [
        "cannot put back what it took",
        "upload",
        { beginning: "row", breakCollector: withoutTheWayBack },
        "the blob's bytes are lost",
        faults,
      ],
    ];
    if (name === "postgres") {
      collectors.push([
        "does not hold rows",
        "upload",
        { beginning: "row", breakCollector: withoutHoldingRows },
        "the blob's bytes are lost",
      ]);
    }
    test.each(collectors)(
      "the checker notices a collector that %s",
      async (_, reuse, world, loss, options) => {
        expect(await losses(reuse, world, options)).toContain(loss);
      },
    );

    test("the checker notices a push that does not look for the bytes", async () => {
      const world: World = { beginning: "row", breakPush: withoutLookingForBytes };
      expect(await losses("upload", world)).toContain("the blob's bytes are lost");
    });

    // On SQLite, transactions come one after another and nothing needs to be held.
    test.skipIf(name === "sqlite")(
      "the checker notices a push that does not hold its links",
      async () => {
        const world: World = { beginning: "link", breakPush: withoutHoldingLinks };
        expect(await losses("manifest", world)).toContain("the link in old is lost");
      },
    );
  });
});
