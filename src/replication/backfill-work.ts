/**
 * Carries backfills out, a bounded piece at a time, each in one transaction that holds the
 * backfill's row. All that it knows is in the tables: whatever dies, the next piece goes on, on this
 * node or another.
 *
 *     PREPARING    images and tags that the rules take now -> items, behind a cursor
 *     IN_PROGRESS  items -> replications, a window of them at a time; outcomes -> items
 *     STOPPING     what has not begun is taken back; what runs is waited for
 *
 * The replications are rows like all others, in queues of their own, so that they delay no push.
 */
import type { Transaction } from "../metadata/metadata-store.ts";
import {
  failQueuedItems,
  type ItemKey,
  insertBackfillItems,
  type NewBackfillItem,
  selectBackfillCandidates,
  selectWaitingItems,
  updateItemQueued,
  updateItemSettled,
  type WaitingItemRow,
} from "../metadata/queries/backfill-items.ts";
import {
  countOfBackfill,
  detachAllFromBackfill,
  detachFromBackfill,
  queueForBackfill,
  retractFromBackfill,
  selectIdleOfBackfill,
  selectSettledOfBackfill,
} from "../metadata/queries/backfill-replications.ts";
import {
  type BackfillRow,
  holdBackfill,
  selectBackfillsUnderWay,
  updateBackfill,
} from "../metadata/queries/backfills.ts";
import { selectClosureBytes } from "../metadata/queries/image-closure.ts";
import {
  type RepositoryRow,
  selectRepositories,
  selectRepository,
} from "../metadata/queries/repositories.ts";
import type { RegistryContext } from "../registry/context.ts";
import { write } from "./attempt.ts";
import type { backfillFailureCodes } from "./backfills.ts";
import {
  destinationsFor,
  getReplicationConfiguration,
  type ReplicationConfiguration,
} from "./configuration.ts";
import { type FailureCode, refusalCodes } from "./failure.ts";

export interface BackfillSettings {
  /** How many images, or repositories, one piece looks at. */
  readonly pieceSize: number;
  /** How many replications of a backfill wait or run at the same time. */
  readonly window: number;
  /** Between two looks at what has become of them. */
  readonly pauseMilliseconds: number;
  /** Before so many have been processed, a backfill is not judged. */
  readonly judgedFrom: number;
}

export const defaultBackfillSettings: BackfillSettings = {
  pieceSize: 200,
  window: 256,
  pauseMilliseconds: 100,
  judgedFrom: 100,
};

export interface BackfillWork {
  /**
   * Does a piece of every backfill under way.
   * @returns for how many milliseconds there is nothing to do
   */
  tick(): Promise<number>;
}

export interface BackfillWorkOptions {
  readonly context: RegistryContext;
  readonly settings: BackfillSettings;
  /** How long a new backfill may go unnoticed. */
  readonly pollMilliseconds: number;
}

type BackfillFailureCode = keyof typeof backfillFailureCodes;
type Progress = "more" | "waits" | "ended";

const backfillsAtOnce = 100;

export function backfillWork(options: BackfillWorkOptions): BackfillWork {
  const { context, settings, pollMilliseconds } = options;
  const { metadata, clock } = context;
  let dueAt = Number.NEGATIVE_INFINITY;

  return {
    async tick() {
      const wait = dueAt - clock.now();
      // More than ever waited for: the clock was set back.
      if (wait > 0 && wait <= pollMilliseconds) return wait;
      let next = pollMilliseconds;
      for (const id of await selectBackfillsUnderWay(metadata.read, backfillsAtOnce)) {
        const progress = await write(metadata, (tx) => advance(context, settings, tx, id));
        next = Math.min(next, progress === "more" ? 0 : settings.pauseMilliseconds);
      }
      dueAt = clock.now() + next;
      return next;
    },
  };
}

async function advance(
  context: RegistryContext,
  settings: BackfillSettings,
  tx: Transaction,
  id: string,
): Promise<Progress> {
  const row = await holdBackfill(tx, id);
  if (row === undefined) return "waits";
  const work = { context, settings, tx };
  if (row.status === "PREPARING") return prepare(work, row);
  await collectOutcomes(work, row);
  return row.status === "STOPPING" ? finishStop(work, row) : proceed(work, row);
}

interface Work {
  readonly context: RegistryContext;
  readonly settings: BackfillSettings;
  readonly tx: Transaction;
}

async function end(
  { context, tx }: Work,
  row: BackfillRow,
  status: "COMPLETE" | "FAILED" | "STOPPED",
  failureCode: BackfillFailureCode | null = null,
): Promise<Progress> {
  const ended_at = context.clock.now();
  await updateBackfill(tx, { ...row, status, failure_code: failureCode, ended_at });
  return "ended";
}

/** Looks at one piece of one repository, or passes over some that have nothing. */
async function prepare(work: Work, row: BackfillRow): Promise<Progress> {
  const { tx, settings } = work;
  const { account } = row;
  const configuration = await getReplicationConfiguration(tx, account);
  if (!destinations(configuration).some((each) => isOf(row, each))) {
    return end(work, row, "FAILED", "destination_not_configured");
  }
  const limit = settings.pieceSize;
  let cursor = row;
  let repository = await selectRepository(tx, account, row.cursor_repository);
  for (let repositories = 0; repositories < limit; repositories++) {
    const looked = repository;
    if (looked !== undefined) {
      const page = { digest: cursor.cursor_digest, tag: cursor.cursor_tag, limit };
      const found = await selectBackfillCandidates(tx, looked.id, page);
      const items = found.flatMap((image) =>
        itemOf(work.context.region, configuration, row, looked, image),
      );
      const total = cursor.total + (await insertBackfillItems(tx, row.id, items));
      cursor = { ...cursor, total };
      const last = found.at(-1);
      if (found.length === limit && last !== undefined) {
        await updateBackfill(tx, { ...cursor, cursor_digest: last.digest, cursor_tag: last.tag });
        return "more";
      }
    }
    [repository] = await selectRepositories(tx, account, cursor.cursor_repository, 1);
    if (repository === undefined) {
      await updateBackfill(tx, { ...cursor, status: "IN_PROGRESS", prepared: 1 });
      return "more";
    }
    const beginning = { cursor_repository: repository.name, cursor_digest: "", cursor_tag: "" };
    cursor = { ...cursor, ...beginning };
  }
  await updateBackfill(tx, cursor);
  return "more";
}

function destinations({ rules }: ReplicationConfiguration) {
  return rules.flatMap((rule) => rule.destinations);
}

function isOf(row: BackfillRow, destination: { region: string; registryId: string }): boolean {
  return (
    destination.region === row.destination_region &&
    destination.registryId === row.destination_account
  );
}

/** Nothing for an image that no rule brings to the destination, or that is another region's. */
function itemOf(
  region: string,
  configuration: ReplicationConfiguration,
  row: BackfillRow,
  { id: repositoryId, name: repository }: RepositoryRow,
  image: { digest: string; tag: string; clock: string; origin: string; artifact_type: string },
): NewBackfillItem[] {
  const { digest, tag, clock, origin, artifact_type: artifactType } = image;
  if (origin !== region) return [];
  const filtered = { repository, tag: tag === "" ? undefined : tag, artifactType };
  const taken = destinationsFor(configuration, filtered).some((each) => isOf(row, each));
  return taken ? [{ repositoryId, repository, digest, tag, clock, origin }] : [];
}

/** Writes to the items what has become of their replications, and counts it into `row`. */
async function collectOutcomes({ tx }: Work, row: BackfillRow): Promise<void> {
  for (const settled of await selectSettledOfBackfill(tx, row.id, refusalCodes)) {
    const isComplete = settled.state === "complete";
    const failureCode = isComplete ? null : settled.failure_code;
    await settle(tx, row, settled, failureCode, isComplete);
    await detachFromBackfill(tx, settled.id);
  }
}

async function settle(
  tx: Transaction,
  row: BackfillRow,
  item: ItemKey,
  failureCode: string | null,
  isComplete: boolean,
): Promise<void> {
  const state = isComplete ? "complete" : "failed";
  if (!(await updateItemSettled(tx, row.id, item, { state, failureCode }))) return;
  if (isComplete) row.completed++;
  else countFailures(row, 1, failureCode);
}

function countFailures(row: BackfillRow, count: number, failureCode: string | null): void {
  row.failed += count;
  const codes = new Set(row.failure_codes === "" ? [] : row.failure_codes.split(","));
  if (failureCode !== null && count > 0) codes.add(failureCode);
  row.failure_codes = [...codes].join(",");
}

async function proceed(work: Work, row: BackfillRow): Promise<Progress> {
  const { tx, settings } = work;
  const processed = row.completed + row.failed;
  if (processed >= settings.judgedFrom && row.failed * 2 >= processed) {
    await takeBack(work, row);
    await detachAllFromBackfill(tx, row.id);
    return end(work, row, "FAILED", "replications_failed");
  }
  const room = settings.window - (await countOfBackfill(tx, row.id));
  const piece = Math.min(room, settings.pieceSize);
  const items = piece > 0 ? await selectWaitingItems(tx, row.id, piece) : [];
  for (const item of items) await queue(work, row, item);
  if (items.length === 0 && room === settings.window) {
    const gone: FailureCode = "image_deleted";
    // Their repository was deleted, and their replications with it.
    countFailures(row, await failQueuedItems(tx, row.id, gone), gone);
    return end(work, row, "COMPLETE");
  }
  await updateBackfill(tx, row);
  return "waits";
}

async function queue({ context, tx }: Work, row: BackfillRow, item: WaitingItemRow): Promise<void> {
  const { repository, digest, tag, repository_id: repositoryId, clock, origin } = item;
  const gone: FailureCode = "image_deleted";
  if (item.present === 0) return settle(tx, row, item, gone, false);
  const previous = await queueForBackfill(tx, row.id, {
    ...{ id: context.random.uuid(), repositoryId, account: row.account, repository, digest, tag },
    destinationRegion: row.destination_region,
    destinationAccount: row.destination_account,
    ...{ clock, origin, now: context.clock.now() },
    bytes: await selectClosureBytes(tx, repositoryId, digest),
  });
  await updateItemQueued(tx, row.id, item, previous);
}

async function finishStop(work: Work, row: BackfillRow): Promise<Progress> {
  await takeBack(work, row);
  if ((await countOfBackfill(work.tx, row.id)) === 0) return end(work, row, "STOPPED");
  await updateBackfill(work.tx, row);
  return "waits";
}

async function takeBack({ context, tx }: Work, row: BackfillRow): Promise<void> {
  const now = context.clock.now();
  for (const idle of await selectIdleOfBackfill(tx, row.id, now)) {
    await retractFromBackfill(tx, idle);
  }
}
