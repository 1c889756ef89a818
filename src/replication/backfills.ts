/**
 * Backfills: the wish to bring to a destination what was pushed before its rule. They are validated,
 * kept and answered here.
 */
import type { RegistryContext } from "../registry/context.ts";
import type { Actor } from "../registry/create-repository.ts";
import {
  changeDocument,
  documentKind,
  findDocument,
  listDocuments,
} from "../registry/documents.ts";
import { RegistryError } from "../registry/errors.ts";
import { type Destination, getReplicationConfiguration } from "./configuration.ts";

export type BackfillStatus =
  | "PREPARING"
  | "IN_PROGRESS"
  | "COMPLETE"
  | "FAILED"
  | "STOPPING"
  | "STOPPED";

export interface Backfill {
  readonly destination: Destination;
  readonly status: BackfillStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
}

/** Name: the id. */
export const backfillKind = documentKind<Backfill>("replication-backfill", "region");

const activeLimit = 10;
const listLimit = 10_000;
const stoppable: ReadonlySet<BackfillStatus> = new Set(["PREPARING", "IN_PROGRESS"]);
const active: ReadonlySet<BackfillStatus> = new Set(["PREPARING", "IN_PROGRESS", "STOPPING"]);

/** @throws parameter_invalid, setting_exists when one is under way there, limit_exceeded */
export async function startBackfill(
  context: RegistryContext,
  { account, destination, actor }: Actor & { account: string; destination: Destination },
): Promise<{ id: string; backfill: Backfill }> {
  const { region, registryId } = destination;
  const { rules } = await getReplicationConfiguration(context.metadata.read, account);
  const configured = rules.some(({ destinations }) =>
    destinations.some((each) => each.region === region && each.registryId === registryId),
  );
  if (!configured) {
    throw new RegistryError("parameter_invalid", {
      parameter: "destination",
      reason: "The destination is not in the replication configuration",
    });
  }
  const id = context.random.uuid();
  const backfill: Backfill = { destination, status: "PREPARING", startedAt: context.clock.now() };
  await context.metadata.transaction(async (tx) => {
    const documents = await listDocuments(tx, backfillKind, account, { limit: listLimit });
    const running = documents.filter(({ value }) => active.has(value.status));
    const there = running.find(({ value }) => value.destination.region === region);
    if (there !== undefined) {
      const setting = "replication_backfill";
      throw new RegistryError("setting_exists", { setting, name: there.name, account });
    }
    if (running.length >= activeLimit) {
      throw new RegistryError("limit_exceeded", { what: "backfills at once", limit: activeLimit });
    }
    await changeDocument(context, tx, backfillKind, { account, name: id, actor }, () => backfill);
  });
  return { id, backfill };
}

/** @returns undefined when it can not be stopped any more @throws setting_unknown */
export async function stopBackfill(
  context: RegistryContext,
  { account, id, actor }: Actor & { account: string; id: string },
): Promise<Backfill | undefined> {
  return context.metadata.transaction(async (tx) => {
    let stopped = false;
    const value = await changeDocument(
      context,
      tx,
      backfillKind,
      { account, name: id, actor },
      (present) => {
        if (present === undefined) throw unknown(account, id);
        stopped = stoppable.has(present.status);
        if (!stopped) return present;
        return { ...present, status: "STOPPED" as const, endedAt: context.clock.now() };
      },
    );
    return stopped ? value : undefined;
  });
}

/** @throws setting_unknown */
export async function findBackfill(
  { metadata }: RegistryContext,
  account: string,
  id: string,
): Promise<Backfill> {
  const found = await findDocument(metadata.read, backfillKind, account, id);
  if (found === undefined) throw unknown(account, id);
  return found.value;
}

function unknown(account: string, id: string): RegistryError {
  return new RegistryError("setting_unknown", {
    setting: "replication_backfill",
    name: id,
    account,
  });
}
