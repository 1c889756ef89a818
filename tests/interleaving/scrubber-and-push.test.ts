/** The race "a push heals a blob that is being put into quarantine", in every order. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Break } from "./broken-guards.ts";
import type { PushWorldOptions, Reuse } from "./push-world.ts";
import { engines, openRace, type Race, type RaceOptions } from "./race.ts";

/** The scrubber does not look whether the bytes are still those that it has read. */
const withoutLookingForRevisions: Break = ({ metadata, blobs }) => ({
  metadata,
  blobs: {
    ...blobs,
    async stat(digest) {
      const stat = await blobs.stat(digest);
      return stat && { ...stat, revision: "always the same" };
    },
  },
});

/** The scrubber takes bytes away without holding the blob's row. */
const withoutTransaction: Break = ({ metadata, blobs }) => ({
  blobs,
  metadata: {
    ...metadata,
    async transaction(work) {
      const { dialect } = metadata.read;
      const all: typeof metadata.read.all = (sql, parameters) =>
        metadata.transaction((tx) => tx.all(sql, parameters));
      return work({ dialect, all, afterCommit() {} });
    },
  },
});

setDefaultTimeout(120_000);

describe.each(engines)("$name", (engine) => {
  describe.skipIf(!engine.available)("a push meets a scrub", () => {
    let race: Race;
    beforeAll(async () => {
      race = await openRace(engine);
    });
    afterAll(() => race[Symbol.asyncDispose]());

    function meet(reuse: Reuse, options: Partial<PushWorldOptions> = {}, bounds: RaceOptions = {}) {
      return race.run(
        { beginning: "damaged", ...options },
        ({ scrub, reuse: push }) => ({ scrubber: scrub, push: push(reuse) }),
        bounds,
      );
    }

    test.each(["upload", "upload to old"] as const)("%s heals in every order", async (reuse) => {
      const { runs, violations } = await meet(reuse);
      expect(violations).toEqual([]);
      expect(runs).toBeGreaterThan(5);
    });

    test("the checker notices a scrubber that does not look for revisions", async () => {
      const { violations } = await meet(
        "upload",
        { breakCollector: withoutLookingForRevisions },
        { preemptions: 2, untilViolation: true },
      );
      expect(violations.flatMap(({ texts }) => texts).join("\n")).toContain("bytes are lost");
    });

    test.skipIf(engine.name === "postgres")(
      "the checker notices a scrubber that does not hold the row",
      async () => {
        const { violations } = await meet(
          "upload",
          { breakCollector: withoutTransaction },
          { preemptions: 3, untilViolation: true },
        );
        expect(violations.flatMap(({ texts }) => texts).join("\n")).toContain("lost");
      },
    );
  });
});
