/**
 * Backfills: what was pushed before its rule is brought to a destination. They are asked for,
 * stopped and answered here, and carried out by `backfill-work.ts`.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartReplicationBackfill.html
 */
import {
  type BackfillResultRow,
  type ItemKey,
  selectBackfillResults,
} from "../metadata/queries/backfill-items.ts";
import {
  type BackfillRow,
  type BackfillStatus,
  insertBackfill,
  selectBackfill,
  selectBackfillForUpdate,
  selectBackfills,
  selectBackfillsOfAccountUnderWay,
  updateBackfill,
} from "../metadata/queries/backfills.ts";
import { holdName } from "../metadata/queries/hold.ts";
import type { RegistryContext } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import { type Destination, getReplicationConfiguration } from "./configuration.ts";

export interface BackfillProgress {
  /** Images and tags. */
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** Distinct. */
  readonly failureCodes: readonly string[];
}

export interface Backfill {
  readonly id: string;
  readonly destination: Destination;
  readonly status: BackfillStatus;
  readonly failureCode: string | undefined;
  /** Undefined until all images have been found. */
  readonly progress: BackfillProgress | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** Why a backfill as a whole has failed. */
export const backfillFailureCodes = {
  destination_not_configured:
    "No rule named the destination any more when the images were looked for.",
  replications_failed: "Half or more of at least 100 replications failed; the rest was not tried.",
} as const;

const activeLimit = 10;

/** @throws parameter_invalid, setting_exists when one is under way there, limit_exceeded */
export async function startBackfill(
  context: RegistryContext,
  { account, destination }: { account: string; destination: Destination },
): Promise<Backfill> {
  const { region, registryId } = destination;
  const id = context.random.uuid();
  const startedAt = context.clock.now();
  await context.metadata.transaction(async (tx) => {
    await holdName(tx, `backfills of ${account}`);
    const { rules } = await getReplicationConfiguration(tx, account);
    const configured = rules.some(({ destinations }) =>
      destinations.some((each) => each.region === region && each.registryId === registryId),
    );
    if (!configured) {
      throw new RegistryError("parameter_invalid", {
        parameter: "destination",
        reason: "The destination is not in the replication configuration",
      });
    }
    const running = await selectBackfillsOfAccountUnderWay(tx, account);
    const there = running.find((row) => row.destination_region === region);
    if (there !== undefined) {
      const setting = "replication_backfill";
      throw new RegistryError("setting_exists", { setting, name: there.id, account });
    }
    if (running.length >= activeLimit) {
      throw new RegistryError("limit_exceeded", { what: "backfills at once", limit: activeLimit });
    }
    const row = { id, account, destinationRegion: region, destinationAccount: registryId };
    await insertBackfill(tx, { ...row, startedAt });
  });
  return findBackfill(context, account, id);
}

/** @returns undefined when it can not be stopped any more @throws setting_unknown */
export async function stopBackfill(
  context: RegistryContext,
  { account, id }: { account: string; id: string },
): Promise<Backfill | undefined> {
  return context.metadata.transaction(async (tx) => {
    const row = await selectBackfillForUpdate(tx, account, id);
    if (row === undefined) throw unknown(account, id);
    if (row.status !== "PREPARING" && row.status !== "IN_PROGRESS") return undefined;
    const stopped: BackfillRow =
      row.status === "PREPARING"
        ? { ...row, status: "STOPPED", ended_at: context.clock.now() }
        : { ...row, status: "STOPPING" };
    await updateBackfill(tx, stopped);
    return backfillOf(stopped);
  });
}

/** @throws setting_unknown */
export async function findBackfill(
  { metadata }: RegistryContext,
  account: string,
  id: string,
): Promise<Backfill> {
  const row = await selectBackfill(metadata.read, account, id);
  if (row === undefined) throw unknown(account, id);
  return backfillOf(row);
}

/** Behind `after`, in the order of their ids. */
export async function listBackfills(
  { metadata }: RegistryContext,
  account: string,
  page: { after: string; limit: number },
): Promise<Backfill[]> {
  return (await selectBackfills(metadata.read, account, page)).map(backfillOf);
}

/** Of a backfill that has ended: what became of each image and tag. None before. */
export async function backfillResults(
  { metadata }: RegistryContext,
  { id, endedAt }: Backfill,
  page: { state?: "complete" | "failed" | undefined; after: ItemKey; limit: number },
): Promise<BackfillResultRow[]> {
  return endedAt === undefined ? [] : selectBackfillResults(metadata.read, id, page);
}

function backfillOf(row: BackfillRow): Backfill {
  const { total, completed, failed } = row;
  const failureCodes = row.failure_codes === "" ? [] : row.failure_codes.split(",");
  return {
    id: row.id,
    destination: { region: row.destination_region, registryId: row.destination_account },
    status: row.status,
    failureCode: row.failure_code ?? undefined,
    progress: row.prepared === 1 ? { total, completed, failed, failureCodes } : undefined,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
  };
}

function unknown(account: string, id: string): RegistryError {
  return new RegistryError("setting_unknown", {
    setting: "replication_backfill",
    name: id,
    account,
  });
}
