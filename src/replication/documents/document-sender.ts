/**
 * Sends the documents of the installation to every other region of the chart: also those that came
 * from a third one, so that what a region wrote before it died still spreads. It ends by itself,
 * because what changes nothing at a region is not passed on by it.
 *
 * How far a region has come is kept by that region, not here. After a start it is asked once; from
 * time to time everything is sent again, which mends whatever a restored backup has taken away.
 * Like the worker of images it has one loop, which only calls `tick()`.
 */
import type { MetadataStore } from "../../metadata/metadata-store.ts";
import {
  type SequencedDocumentRow,
  selectDocumentsBehind,
  selectLastDocumentSequence,
} from "../../metadata/queries/documents.ts";
import type { Clock, Random } from "../../runtime/clock.ts";
import { asFailure, type FailureCode } from "../failure.ts";
import type { ReplicationLog } from "../log.ts";
import type { Peer } from "../peer.ts";
import { type BackOff, delay } from "../retry.ts";
import type { DocumentMetrics } from "./document-metrics.ts";
import { type DocumentBatch, type DocumentSeal, documentLimits } from "./messages.ts";

export interface DocumentDestination {
  readonly region: string;
  readonly peer: Peer;
}

export interface DocumentSenderSettings {
  readonly pollMilliseconds: number;
  readonly documentBackOff: BackOff;
  /** How often everything is sent again. */
  readonly documentPassMilliseconds: number;
  /** The same, when something could not be taken yet. */
  readonly deferredPassMilliseconds: number;
}

export interface DocumentSenderOptions {
  readonly region: string;
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  readonly seal: DocumentSeal;
  /** The other regions, as the chart has them now. */
  readonly destinations: () => readonly DocumentDestination[];
  /** Told, before anything is sent, that documents have changed: the chart may be another. */
  readonly onChange?: (() => Promise<void>) | undefined;
  /** Names this region's database. */
  readonly database: () => Promise<string>;
  readonly settings: DocumentSenderSettings;
  readonly metrics: DocumentMetrics;
  readonly log: ReplicationLog;
}

/** What is known of one destination. */
export interface DocumentProgress {
  readonly region: string;
  /** It had everything of this region when it was heard of last. */
  readonly upToDate: boolean;
  /** Why it does not answer; undefined while it does. */
  readonly failure: { readonly code: FailureCode; readonly text: string } | undefined;
  /** Since when; milliseconds since the epoch. */
  readonly failingSince: number | undefined;
}

export interface DocumentSender {
  /** @returns for how many milliseconds there is nothing to do unless something happens */
  tick(): Promise<number>;
  wake(): void;
  /** Resolves when everything that was begun has ended. */
  settled(): Promise<void>;
  progress(): DocumentProgress[];
  start(): void;
  stop(): Promise<void>;
}

interface Progress {
  peer: Peer;
  /** It has everything up to here; undefined until it was asked. */
  cursor: number | undefined;
  passAt: number;
  upToDate: boolean;
  failures: number;
  retryAt: number;
  failingSince: number | undefined;
  failure: DocumentProgress["failure"];
  sending: boolean;
}

export function documentSender(options: DocumentSenderOptions): DocumentSender {
  const { metadata, clock, random, seal, settings, metrics, log } = options;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const known = new Map<string, Progress>();
  let seen: number | undefined;
  let hint = new AbortController();
  let loop: Promise<void> | undefined;

  function progressOf({ region, peer }: DocumentDestination): Progress {
    let progress = known.get(region);
    // Another way to the region may lead to another server.
    if (progress === undefined || progress.peer !== peer) {
      progress = {
        ...{ peer, cursor: undefined, upToDate: false, failures: 0, retryAt: 0, sending: false },
        ...{ failingSince: undefined, failure: undefined },
        // Drawn by chance, so that regions which start together do not do it together.
        passAt: clock.now() + settings.documentPassMilliseconds * (0.5 + random.next() / 2),
      };
      known.set(region, progress);
    }
    return progress;
  }

  async function tick(): Promise<number> {
    const last = await selectLastDocumentSequence(metadata.read);
    if (last !== seen) {
      await options.onChange?.();
      seen = last;
    }
    const destinations = options.destinations();
    for (const region of known.keys()) {
      if (!destinations.some((each) => each.region === region)) known.delete(region);
    }
    let wait = settings.pollMilliseconds;
    for (const destination of destinations) {
      const progress = progressOf(destination);
      if (progress.sending || destination.peer.documents === undefined) continue;
      const now = clock.now();
      const left = progress.retryAt - now;
      // More than the longest pause: the clock was set back.
      if (left > 0 && left <= settings.documentBackOff.limitMilliseconds) {
        wait = Math.min(wait, left);
        continue;
      }
      if (progress.passAt <= now) {
        progress.cursor = 0;
        progress.passAt = now + settings.documentPassMilliseconds;
      }
      if (progress.cursor !== undefined && progress.cursor >= last) continue;
      begin(destination, progress);
    }
    return wait;
  }

  function begin(destination: DocumentDestination, progress: Progress): void {
    progress.sending = true;
    const work = catchUp(destination, progress)
      .then(
        () => succeeded(destination.region, progress),
        (error) => failed(destination.region, progress, error),
      )
      .finally(() => {
        progress.sending = false;
        running.delete(work);
        wake();
      });
    running.add(work);
  }

  async function catchUp(destination: DocumentDestination, progress: Progress): Promise<void> {
    const database = await options.database();
    if (progress.cursor === undefined) {
      const { held } = await send(destination, { database, after: 0, upTo: 0, documents: [] });
      const last = await selectLastDocumentSequence(metadata.read);
      // It has more than there is: this database was restored from a backup.
      progress.cursor = held > last ? 0 : held;
    }
    while (!stopping.signal.aborted) {
      const after = progress.cursor;
      const rows = await selectDocumentsBehind(metadata.read, after, documentLimits.documents);
      const { upTo, documents } = batchOf(rows);
      if (upTo === undefined) return;
      progress.upToDate = false;
      metrics.behind.set(1, { region: destination.region });
      const answer = await send(destination, { database, after, upTo, documents });
      metrics.sent.add(documents.length, { region: destination.region });
      if (answer.deferred > 0) {
        const again = clock.now() + settings.deferredPassMilliseconds;
        progress.passAt = Math.min(progress.passAt, again);
      }
      // Behind us when the region was put back meanwhile.
      progress.cursor = Math.min(answer.held, upTo);
      if (progress.cursor <= after && answer.held < upTo) progress.cursor = 0;
    }
  }

  function batchOf(rows: readonly SequencedDocumentRow[]) {
    const documents: DocumentBatch["documents"][number][] = [];
    let bytes = 0;
    let upTo: number | undefined;
    for (const { sequence, updated_at: _, ...document } of rows) {
      const size = Buffer.byteLength(document.value ?? "");
      if (documents.length > 0 && bytes + size > documentLimits.batchBytes) break;
      upTo = sequence;
      const { account, kind, name } = document;
      if (size > documentLimits.valueBytes) {
        log.error({ account, kind, name, bytes: size }, "a document is too large to be sent on");
        continue;
      }
      bytes += size;
      documents.push(document);
    }
    return { upTo, documents };
  }

  async function send({ region, peer }: DocumentDestination, batch: DocumentBatch) {
    if (peer.documents === undefined) throw new Error(`${region} takes no documents`);
    return peer.documents(seal.seal(options.region, region, batch), stopping.signal);
  }

  function succeeded(region: string, progress: Progress): void {
    if (stopping.signal.aborted) return;
    if (progress.failure !== undefined) log.info({ region }, "a region takes identities again");
    Object.assign(progress, { failures: 0, retryAt: 0, failingSince: undefined });
    Object.assign(progress, { failure: undefined, upToDate: true });
    metrics.behind.set(0, { region });
  }

  function failed(region: string, progress: Progress, error: unknown): void {
    if (stopping.signal.aborted) return;
    const { code, message: text, cause } = asFailure(error);
    progress.failures++;
    progress.upToDate = false;
    progress.retryAt = clock.now() + delay(progress.failures, random, settings.documentBackOff);
    progress.failingSince ??= clock.now();
    metrics.behind.set(1, { region });
    // Once, not at every attempt.
    if (progress.failure?.code !== code) {
      const fields = { region, code, text, ...(code === "source_error" && { error: cause }) };
      const words = "a region does not take the identities of this one; it is tried again";
      if (code === "installation_key_mismatch") log.error(fields, words);
      else log.warn(fields, words);
    }
    progress.failure = { code, text };
  }

  function wake(): void {
    hint.abort();
  }

  async function settled(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Renewed before the tick, so that a call during it is not lost.
      hint = new AbortController();
      let wait = settings.pollMilliseconds;
      try {
        wait = await tick();
      } catch (error) {
        log.error({ error }, "could not look for documents to send");
      }
      if (!stopping.signal.aborted) await clock.sleep(Math.max(wait, 1), hint.signal);
    }
  }

  return {
    tick,
    wake,
    settled,
    progress: () =>
      options.destinations().map((destination) => {
        const { upToDate, failure, failingSince } = progressOf(destination);
        return { region: destination.region, upToDate, failure, failingSince };
      }),
    start() {
      loop ??= run();
    },
    async stop() {
      stopping.abort();
      wake();
      await loop;
      await settled();
    },
  };
}
