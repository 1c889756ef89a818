/**
 * The race "a push reuses a blob that is being collected", in every order that a few preemptions, a
 * death of the collector or the loss of its database session can make. And the same with each guard
 * taken out, to see that a loss is noticed.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
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

interface BrokenCollector {
  readonly what: string;
  readonly reuse: Reuse;
  readonly world: World;
  /** What the first wrong run loses. */
  readonly loss: string;
  readonly options?: RaceOptions;
}

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

setDefaultTimeout(thorough ? 1800_000 : 120_000);

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
      // On PostgreSQL each statement is a step and a round trip.
      ...(everything ? { crashes: ["collector"] } : { faultsBefore: /^(withdraw|commit)/ }),
    };

    const some = everything ? cases : cases.slice(0, 6);
    test.each(some)("%s, %s: in no order is anything lost", async (beginning, reuse) => {
      const { runs, violations } = await meet(reuse, { beginning });
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(5);
    });

    const failing = thorough ? cases : cases.slice(0, everything ? 5 : 1);
    test.each(failing)("%s, %s: nor when the collector fails", async (beginning, reuse) => {
      const { runs, violations } = await meet(reuse, { beginning }, faults);
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(5);
    });

    const blind = thorough ? cases : cases.slice(0, everything ? 6 : 2);
    test.each(blind)("%s, %s: nor when clocks are wrong", async (beginning, reuse) => {
      const { violations } = await meet(reuse, { beginning, clockAhead: true });
      expect(violations).toEqual([]);
    });

    test.skipIf(!everything)("two collections at once lose nothing either", async () => {
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

    const collectors: BrokenCollector[] = [
      {
        what: "does not look for links",
        reuse: "upload",
        world: { beginning: "row", breakCollector: withoutLookingForLinks, clockAhead: true },
        loss: "the blob's bytes are lost",
      },
      {
        what: "does not look for references",
        reuse: "manifest",
        world: { beginning: "link", breakCollector: withoutLookingForReferences, clockAhead: true },
        loss: "the link in old is lost",
      },
      {
        what: "takes the bytes after its commit",
        reuse: "upload",
        world: { beginning: "row", breakCollector: bytesAfterTheCommit },
        loss: "the blob's bytes are lost",
      },
      {
        what: "cannot put back what it took",
        reuse: "upload",
        world: { beginning: "row", breakCollector: withoutTheWayBack },
        loss: "the blob's bytes are lost",
        options: faults,
      },
    ];
    if (everything) {
      collectors.push({
        what: "does not look for touches",
        reuse: "ask",
        world: { beginning: "link", breakCollector: withoutLookingForTouches },
        loss: "manifest_references_unknown",
      });
    }
    if (name === "postgres") {
      collectors.push({
        what: "does not hold rows",
        reuse: "upload",
        world: { beginning: "row", breakCollector: withoutHoldingRows },
        loss: "the blob's bytes are lost",
      });
    }
    test.each(collectors)("the checker notices a collector that $what", async (broken) => {
      const { reuse, world, options, loss } = broken;
      expect(await losses(reuse, world, options)).toContain(loss);
    });

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
