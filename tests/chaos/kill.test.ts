/**
 * Real servers are killed, hundreds of times, under concurrent pushes, while garbage is collected;
 * everything that was acknowledged must be there afterwards, and nothing may be half there.
 *
 *     npm run test:chaos
 *     PORTOLAN_CHAOS_KILLS=2000 PORTOLAN_CHAOS_SEED=7 npm run test:chaos
 */
import { expect, test } from "bun:test";
import { startServer } from "../support/server-process.ts";
import { check } from "./checker.ts";
import { Ledger } from "./ledger.ts";
import { UnexpectedAnswer, write } from "./writer.ts";

const kills = Number(process.env.PORTOLAN_CHAOS_KILLS ?? 100);
const seed = Number(process.env.PORTOLAN_CHAOS_SEED ?? Date.now() % 1_000_000);
const writers = 6;
const graceMilliseconds = 20_000;

test(
  `${kills} kills lose nothing that was acknowledged (seed ${seed})`,
  async () => {
    const random = mulberry32(seed);
    await using server = await startServer({
      flags: [
        ...["--set", `registry.garbageGrace=${graceMilliseconds / 1000}s`],
        ...["--set", "garbageCollection.interval=1s"],
        ...["--set", "log.requests=none"],
      ],
    });
    const { endpoint, authorization } = server;
    const ledgers = Array.from({ length: writers }, (_, i) => new Ledger(`chaos/writer-${i}`));
    const problems: string[] = [];
    for (let kill = 0; kill < kills && problems.length === 0; kill++) {
      const ending = new AbortController();
      const writing = ledgers.map((ledger) =>
        write({ endpoint, authorization, ledger, random, signal: ending.signal }).catch(
          (error: unknown) => {
            if (!(error instanceof UnexpectedAnswer)) throw error;
            problems.push(error.message);
          },
        ),
      );
      await Bun.sleep(20 + random() * 300);
      await server.kill();
      ending.abort();
      await Promise.all(writing);
      await server.start();
      // A different repository each time; all of them at the end.
      const ledger = ledgers[kill % writers];
      if (ledger !== undefined) {
        const options = { endpoint, authorization, ledger, graceMilliseconds };
        problems.push(...(await check(options, false)));
      }
    }
    let blobs = 0;
    let manifests = 0;
    for (const ledger of ledgers) {
      problems.push(...(await check({ endpoint, authorization, ledger, graceMilliseconds }, true)));
      blobs += ledger.blobs.size;
      manifests += ledger.sent.size;
    }
    console.log(`${kills} kills, ${blobs} blobs and ${manifests} manifests sent, seed ${seed}`);
    expect(problems).toEqual([]);
    expect(Math.min(blobs, manifests)).toBeGreaterThan(0);
    expect(server.log()).not.toContain('"level":"error"');
  },
  30 * 60_000,
);

/** A small generator, so that a seed gives the same choices again. */
function mulberry32(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
