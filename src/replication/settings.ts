/** Every figure that replication can be tuned by, with its default. */
import { type BackfillSettings, defaultBackfillSettings } from "./backfill-work.ts";
import type { DocumentSenderSettings } from "./documents/document-sender.ts";
import type { HttpExchangeSettings } from "./http-exchange.ts";
import type { LinkSettings } from "./link.ts";
import { defaultInlineLimits } from "./planner.ts";
import type { ReceiverSettings } from "./receiver.ts";
import type { WorkerSettings } from "./worker.ts";

export interface ReplicationSettings
  extends WorkerSettings,
    LinkSettings,
    HttpExchangeSettings,
    DocumentSenderSettings,
    ReceiverSettings {
  readonly backfill: BackfillSettings;
}

export const defaultReplicationSettings: ReplicationSettings = {
  // Attempts and their leases.
  pollMilliseconds: 1000,
  leaseMilliseconds: 30_000,
  backOff: { firstMilliseconds: 500, limitMilliseconds: 300_000 },
  refusalBackOff: { firstMilliseconds: 1000, limitMilliseconds: 30_000 },
  circuit: {
    outagesToOpen: 3,
    probe: { firstMilliseconds: 500, limitMilliseconds: 15_000 },
  },
  // How much at once, for each destination.
  images: { quick: 32, bulk: 8 },
  streams: { quick: 16, bulk: 16 },
  quickBytesLimit: 16 * 1024 * 1024,
  // How bytes travel.
  transfer: {
    inline: defaultInlineLimits,
    partBytes: 64 * 1024 * 1024,
    busyMilliseconds: 500,
    idleRoundsLimit: 60,
  },
  stallMilliseconds: 60_000,
  answerMilliseconds: 30_000,
  slowestBytesPerSecond: 128 * 1024,
  backfill: defaultBackfillSettings,
  // Identities and the chart.
  documentBackOff: { firstMilliseconds: 500, limitMilliseconds: 15_000 },
  documentPassMilliseconds: 24 * 3600_000,
  deferredPassMilliseconds: 300_000,
  // As a destination.
  yieldMilliseconds: 5000,
  clockSkewLimitMilliseconds: 300_000,
};
