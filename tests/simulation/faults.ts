/** What may go wrong in a run: drawn from its seed, so that some runs are calm and some are wild. */
import type { Chance } from "./chance.ts";

export interface Faults {
  readonly regions: number;
  readonly clientsPerRegion: number;
  /** Operations of each client. */
  readonly operations: number;
  /** `mesh`: every region to every other; `one-way`: the first to all others; `ring`. */
  readonly topology: "mesh" | "one-way" | "ring";
  /** Of each message. */
  readonly lossProbability: number;
  readonly lostReplyProbability: number;
  readonly duplicateProbability: number;
  readonly corruptionProbability: number;
  /** Of each part of a blob: the line breaks in it. */
  readonly breakProbability: number;
  readonly delayMilliseconds: number;
  /** Between two partitions, and how long one lasts; 0: there are none. */
  readonly partitionEveryMilliseconds: number;
  readonly partitionMilliseconds: number;
  /** Between two crashes of a region; 0: there are none. */
  readonly crashEveryMilliseconds: number;
  /** How far clocks are apart, and by how much they jump. */
  readonly clockSkewMilliseconds: number;
  readonly clockJumps: boolean;
  readonly diskDelayMilliseconds: number;
  /** Of each write: the disk is full, for a while. */
  readonly fullDiskProbability: number;
  readonly collectsGarbage: boolean;
  readonly changesRules: boolean;
  readonly immutableRepository: boolean;
  readonly deletes: boolean;
}

export function drawFaults(random: Chance): Faults {
  /** Each fault is off in some runs: alone it shows what it hides among others. */
  const sometimes = (probability: number, value: () => number) =>
    random.happens(probability) ? value() : 0;
  return {
    regions: random.pick([2, 2, 3, 3, 4]),
    clientsPerRegion: random.between(1, 3),
    operations: random.between(4, 14),
    topology: random.pick(["mesh", "mesh", "one-way", "ring"] as const),
    lossProbability: sometimes(0.5, () => random.next() * 0.3),
    lostReplyProbability: sometimes(0.5, () => random.next() * 0.3),
    duplicateProbability: sometimes(0.4, () => random.next() * 0.3),
    corruptionProbability: sometimes(0.3, () => random.next() * 0.2),
    breakProbability: sometimes(0.5, () => random.next() * 0.3),
    delayMilliseconds: random.pick([1, 20, 200, 2000]),
    partitionEveryMilliseconds: sometimes(0.5, () => random.between(5_000, 60_000)),
    partitionMilliseconds: random.between(1_000, 90_000),
    crashEveryMilliseconds: sometimes(0.6, () => random.between(2_000, 60_000)),
    clockSkewMilliseconds: sometimes(0.5, () => random.between(0, 240_000)),
    clockJumps: random.happens(0.2),
    diskDelayMilliseconds: random.pick([0, 0, 5, 100]),
    fullDiskProbability: sometimes(0.2, () => random.next() * 0.05),
    collectsGarbage: random.happens(0.4),
    changesRules: random.happens(0.2),
    immutableRepository: random.happens(0.3),
    deletes: random.happens(0.4),
  };
}
