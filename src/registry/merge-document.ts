/**
 * Takes over a document that another region wrote. The newer version wins, in whatever order and
 * however often versions arrive: the decision is pure, commutative and idempotent.
 */
import type { Transaction } from "../metadata/metadata-store.ts";
import {
  type DocumentKey,
  type DocumentRow,
  selectDocument,
  updateDocumentSequence,
  upsertDocument,
} from "../metadata/queries/documents.ts";
import { announce } from "./change.ts";
import type { RegistryContext } from "./context.ts";
import { compareVersions, type Version } from "./hybrid-clock.ts";

/** A document as it travels: null for one that was deleted. */
export interface TravellingDocument extends DocumentKey, Version {
  readonly owner: string;
  readonly value: string | null;
}

export type DocumentState = Version & Pick<TravellingDocument, "value" | "owner">;

/** True when what has come takes the place of what is here. */
export function isNewer(incoming: DocumentState, local: DocumentState | undefined): boolean {
  if (local === undefined) return true;
  return (compareVersions(incoming, local) || compareContent(incoming, local)) > 0;
}

/**
 * One region never gives the same version twice, so this decides only when a clock was set back, a
 * region's name was used twice, or both began with their configurations. All must agree then too.
 */
function compareContent(a: DocumentState, b: DocumentState): number {
  if (a.value !== b.value) {
    if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
    return a.value < b.value ? -1 : 1;
  }
  if (a.owner !== b.owner) return a.owner < b.owner ? -1 : 1;
  return 0;
}

/**
 * The caller holds the document. An older or equal version changes nothing and is not announced:
 * that is why passing on ends.
 * @returns whether it was taken over
 */
export async function mergeDocument(
  context: RegistryContext,
  tx: Transaction,
  incoming: TravellingDocument,
  actor: string,
): Promise<boolean> {
  const { account, kind, name, owner, value, clock, origin } = incoming;
  if (!isNewer(incoming, await selectDocument(tx, account, kind, name))) return false;
  // Whatever a client writes here from now on is newer than this.
  context.hybridClock.tick(clock);
  const row: DocumentRow = { account, kind, name, owner, value, clock, origin, updated_at: 0 };
  await upsertDocument(tx, { ...row, updated_at: context.clock.now() });
  const sequence = await announce(context, tx, {
    kind: value === null ? "document_deleted" : "document_set",
    account,
    repository: "",
    clock,
    origin,
    actor,
    detail: { kind, name },
  });
  await updateDocumentSequence(tx, incoming, sequence);
  return true;
}
