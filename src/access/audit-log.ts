/**
 * The audit in the database.
 *
 * - A refusal, or a call that may change something, is in the database before the call goes on: the
 *   death of the process does not lose it. A power cut may lose the last second of them, but never
 *   that of a change which was acknowledged: its own commit comes later in the same log and makes
 *   what is before it durable too.
 * - A call that only reads is in the database within `batchMilliseconds`, or sooner when many wait.
 *   The death of the process loses those.
 * - Nothing is dropped: when more wait than the limit, calls wait; when the database fails, calls
 *   fail.
 */
import type { MetadataStore } from "../metadata/metadata-store.ts";
import {
  deleteAuditBlocks,
  insertAuditBlock,
  selectAuditBlocks,
} from "../metadata/queries/audit.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import type { RequestFacts } from "./access.ts";
import type { Audit, AuditRecord, AuditSubject } from "./audit.ts";
import { type AuditBlockContent, auditBlock, auditLine, auditRecords } from "./audit-block.ts";

export interface AuditLogOptions {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Told when a batch could not be written; it is tried again. */
  readonly onError: (error: unknown) => void;
  readonly batchMilliseconds?: number;
  /** Calls that are written at once when so many wait. */
  readonly batchCalls?: number;
  /** Calls that wait at most; who comes then waits too. */
  readonly waitingCallsLimit?: number;
}

export interface AuditLog extends Audit {
  /** Writes what waits and resolves when all of it is durable. */
  close(): Promise<void>;
}

interface Batch extends AuditBlockContent {
  readonly lines: string[];
  firstAt: number;
  lastAt: number;
  denied: number;
  readonly principals: Set<string>;
  /** Somebody waits for it. */
  urgent: boolean;
  readonly written: PromiseWithResolvers<void>;
}

const durableWithinMilliseconds = 1000;

export function auditLog(options: AuditLogOptions): AuditLog {
  const { metadata, clock, random } = options;
  const { batchMilliseconds = 500, batchCalls = 1000, waitingCallsLimit = 20_000 } = options;
  let batch = newBatch();
  let writing: Promise<void> = Promise.resolve();
  let syncing: Promise<void> = Promise.resolve();
  let running = false;
  let closing = false;
  let wake = new AbortController();
  /** Since when there is something that a power cut would lose. */
  let volatileSince: number | undefined;
  let blocks = 0;

  /** In the order of writing, and no other node has the same. */
  function nextId(): string {
    blocks++;
    return [clock.now(), blocks].map((n) => String(n).padStart(15, "0")).join(".") + random.uuid();
  }

  function add(request: RequestFacts, subject: AuditSubject): void {
    const { time } = request;
    batch.lines.push(auditLine(request, subject));
    if (time < batch.firstAt) batch.firstAt = time;
    if (time > batch.lastAt) batch.lastAt = time;
    batch.principals.add(subject.principal);
    if (subject.isDenied) batch.denied++;
  }

  /** Runs while there is something to write, one block at a time. */
  async function write(): Promise<void> {
    running = true;
    try {
      while (batch.lines.length > 0 || volatileSince !== undefined) {
        if (isDue()) await writeBatch();
        else await pause();
        makeDurable();
      }
    } finally {
      running = false;
    }
  }

  const isDue = () =>
    batch.lines.length > 0 && (batch.urgent || closing || batch.lines.length >= batchCalls);

  async function pause(): Promise<void> {
    if (closing) return;
    wake = new AbortController();
    await clock.sleep(batchMilliseconds, wake.signal);
    // Whatever ended the pause, what waits now has waited long enough.
    if (batch.lines.length > 0) await writeBatch();
  }

  async function writeBatch(): Promise<void> {
    const taken = batch;
    batch = newBatch();
    try {
      const row = await auditBlock(taken, nextId());
      await metadata.transaction((tx) => insertAuditBlock(tx, row), { durable: false });
      volatileSince ??= clock.now();
      taken.written.resolve();
    } catch (error) {
      options.onError(error);
      // Who waits must not go on; what nobody waits for is tried again with the next.
      taken.written.reject(error);
      takeBack(taken);
      await clock.sleep(batchMilliseconds, closing ? AbortSignal.abort() : undefined);
      if (closing) throw error;
    }
  }

  function takeBack(taken: Batch): void {
    batch.lines.unshift(...taken.lines);
    batch.firstAt = Math.min(batch.firstAt, taken.firstAt);
    batch.lastAt = Math.max(batch.lastAt, taken.lastAt);
    batch.denied += taken.denied;
    for (const principal of taken.principals) batch.principals.add(principal);
  }

  /** A commit that is waited for takes along all that were not. Nobody waits here. */
  function makeDurable(): void {
    if (volatileSince === undefined) return;
    const age = clock.now() - volatileSince;
    if (!closing && age >= 0 && age < durableWithinMilliseconds) return;
    volatileSince = undefined;
    syncing = metadata.transaction(async () => {}).catch(options.onError);
  }

  function start(): void {
    if (running) return;
    writing = write();
    // A failure while closing is what `close` reports.
    writing.catch(() => {});
  }

  /** Makes room by writing what waits. */
  function room(): Promise<void> {
    batch.urgent = true;
    start();
    wake.abort();
    return batch.written.promise;
  }

  return {
    record(request, subjects) {
      if (batch.lines.length >= waitingCallsLimit) {
        return room().then(() => this.record(request, subjects));
      }
      let urgent = false;
      for (const subject of subjects) {
        add(request, subject);
        urgent ||= subject.isDenied || !subject.isRead;
      }
      batch.urgent ||= urgent;
      const { promise } = batch.written;
      if (!running) start();
      else if (isDue()) wake.abort();
      return urgent ? promise : undefined;
    },
    async close() {
      closing = true;
      wake.abort();
      start();
      await writing;
      await syncing;
    },
  };
}

function newBatch(): Batch {
  const written = Promise.withResolvers<void>();
  // Often nobody waits for it.
  written.promise.catch(() => {});
  return {
    lines: [],
    firstAt: Number.POSITIVE_INFINITY,
    lastAt: 0,
    denied: 0,
    principals: new Set(),
    urgent: false,
    written,
  };
}

export interface AuditQuery {
  /** Milliseconds since the epoch, both inclusive. */
  readonly since?: number;
  readonly until?: number;
  /** ARN. */
  readonly principal?: string;
  /** Whatever its case. */
  readonly action?: string;
  /** Refusals alone. */
  readonly denied?: boolean;
}

const blocksPerPage = 50;

/** Calls in the order in which they were written, which is that of time within half a second. */
export async function* readAudit(
  { read }: Pick<MetadataStore, "read">,
  query: AuditQuery,
): AsyncIterable<AuditRecord> {
  const { since = 0, until, principal, action, denied = false } = query;
  const actionLowerCase = action?.toLowerCase();
  let after = { lastAt: since, id: "" };
  for (;;) {
    const blocks = await selectAuditBlocks(read, {
      after,
      denied,
      limit: blocksPerPage,
      ...(until !== undefined && { until }),
      ...(principal !== undefined && { principal }),
    });
    for (const block of blocks) {
      for (const record of await auditRecords(block)) {
        if (record.time < since || (until !== undefined && record.time > until)) continue;
        if (denied && record.decision !== "denied") continue;
        if (principal !== undefined && record.principal !== principal) continue;
        if (actionLowerCase !== undefined && record.action.toLowerCase() !== actionLowerCase) {
          continue;
        }
        yield record;
      }
    }
    const last = blocks.at(-1);
    if (last === undefined || blocks.length < blocksPerPage) return;
    after = { lastAt: last.last_at, id: last.id };
  }
}

/**
 * Forgets calls that are older than the audit is kept.
 * @returns blocks deleted
 */
export async function expireAudit(
  metadata: MetadataStore,
  before: number,
  blocksPerTransaction = 500,
): Promise<number> {
  for (let deleted = 0; ; ) {
    const some = await metadata.transaction(
      (tx) => deleteAuditBlocks(tx, before, blocksPerTransaction),
      { durable: false },
    );
    deleted += some;
    if (some < blocksPerTransaction) return deleted;
  }
}
