/**
 * One destination region as the worker sees it: how many attempts and streams it may have at once,
 * and whether it is worth trying.
 *
 * There are two lanes, so that a 20 GB blob delays nobody: every replication begins in the quick one,
 * where an offer is cheap and small images end at once. One that turns out to miss many bytes needs a
 * place in the bulk lane or waits for one, in the database. Each lane has streams of its own.
 */
import type { Random } from "../runtime/clock.ts";
import { type Circuit, type CircuitSettings, circuit } from "./circuit.ts";
import type { Peer } from "./peer.ts";
import { type Semaphore, semaphore } from "./semaphore.ts";
import { type SharedWork, sharedWork } from "./shared-work.ts";

export const lanes = ["quick", "bulk"] as const;
export type Lane = (typeof lanes)[number];

export interface LinkSettings {
  readonly circuit: CircuitSettings;
  /** Images at once. */
  readonly images: Readonly<Record<Lane, number>>;
  /** Blob streams at once, each a connection. */
  readonly streams: Readonly<Record<Lane, number>>;
  /** An image that misses more than this belongs to the bulk lane. */
  readonly quickBytesLimit: number;
}

export interface Link {
  readonly region: string;
  readonly peer: Peer;
  readonly circuit: Circuit;
  readonly images: Readonly<Record<Lane, Semaphore>>;
  /** How many of the images are of backfills. */
  readonly backlogImages: Record<Lane, number>;
  readonly streams: Readonly<Record<Lane, Semaphore>>;
  readonly sharedBlobs: SharedWork<void>;
  /** While the circuit is open: one attempt looks whether the destination is back. */
  probing: boolean;
}

export function link(
  region: string,
  peer: Peer,
  settings: LinkSettings,
  random: Pick<Random, "next">,
): Link {
  return {
    region,
    peer,
    circuit: circuit(settings.circuit, random),
    images: {
      quick: semaphore(settings.images.quick),
      bulk: semaphore(settings.images.bulk),
    },
    backlogImages: { quick: 0, bulk: 0 },
    streams: {
      quick: semaphore(settings.streams.quick),
      bulk: semaphore(settings.streams.bulk),
    },
    sharedBlobs: sharedWork(),
    probing: false,
  };
}
