/** Seeded chance: the same seed gives the same numbers on every machine. */
import type { Random } from "../../src/runtime/clock.ts";

export interface Chance extends Random {
  /** True with a probability. */
  happens(probability: number): boolean;
  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
  /** Another source, so that what one part draws does not move what another draws. */
  fork(): Chance;
}

/** xoshiro128**, seeded by splitmix32. Blackman and Vigna, https://prng.di.unimi.it */
export function chance(seed: number): Chance {
  let mix = seed | 0;
  const splitmix = () => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const s = Uint32Array.from({ length: 4 }, splitmix) as Uint32Array & { [index: number]: number };
  const rotate = (x: number, k: number) => ((x << k) | (x >>> (32 - k))) >>> 0;

  function word(): number {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotate(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0;
    const t = (s1 << 9) >>> 0;
    const x2 = s2 ^ s0;
    const x3 = s3 ^ s1;
    s[1] = s1 ^ x2;
    s[0] = s0 ^ x3;
    s[2] = x2 ^ t;
    s[3] = rotate(x3 >>> 0, 11);
    return result;
  }

  const self: Chance = {
    next: () => word() / 2 ** 32,
    happens: (probability) => self.next() < probability,
    between: (least, most) => least + Math.floor(self.next() * (most - least + 1)),
    pick(items) {
      const item = items[self.between(0, items.length - 1)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    bytes: (length) => Uint8Array.from({ length }, () => word() & 0xff),
    uuid() {
      const hex = Array.from({ length: 4 }, () => word().toString(16).padStart(8, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
    fork: () => chance(word()),
  };
  return self;
}
