/**
 * Versioned documents: settings of a registry and identities of an installation. Every write gets
 * a version newer than the document had, and a row in the journal, in one transaction; between
 * regions the newer version wins, as with tags.
 *
 * A kind is declared once, with the shape of its value; readers and writers go through it.
 */
import type { Queryable, Transaction } from "../metadata/metadata-store.ts";
import {
  type DocumentRow,
  selectDocument,
  selectDocumentForUpdate,
  selectDocuments,
  updateDocumentSequence,
  upsertDocument,
} from "../metadata/queries/documents.ts";
import { announce } from "./change.ts";
import type { RegistryContext } from "./context.ts";
import { formatHybridTimestamp, type Version } from "./hybrid-clock.ts";

/** Where a document holds: in the region that wrote it, or in the whole installation. */
export type DocumentScope = "region" | "installation";

/** `Value` is what `JSON.parse` gives back of what was written; a kind's shape never changes. */
export interface DocumentKind<Value> {
  readonly kind: string;
  readonly scope: DocumentScope;
  /** Only carries the type. */
  readonly value?: Value;
}

export function documentKind<Value>(kind: string, scope: DocumentScope): DocumentKind<Value> {
  return { kind, scope };
}

export interface StoredDocument<Value> {
  readonly name: string;
  readonly owner: string;
  readonly value: Value;
  readonly version: Version;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

export async function findDocument<Value>(
  db: Queryable,
  { kind }: DocumentKind<Value>,
  account: string,
  name: string,
): Promise<StoredDocument<Value> | undefined> {
  return stored(await selectDocument(db, account, kind, name));
}

/** One page, in byte order of the names. */
export async function listDocuments<Value>(
  db: Queryable,
  { kind }: DocumentKind<Value>,
  account: string,
  page: { owner?: string; after?: string; limit: number },
): Promise<StoredDocument<Value>[]> {
  const { owner, after = "", limit } = page;
  const rows = await selectDocuments(db, {
    account,
    kind,
    after,
    limit,
    ...(owner !== undefined && { owner }),
  });
  return rows.flatMap((row) => stored<Value>(row) ?? []);
}

export interface DocumentTarget {
  readonly account: string;
  readonly name: string;
  readonly owner?: string;
  readonly actor: string;
  readonly repository?: string;
  /**
   * What a configuration says at a first start. Of a document that does not exist yet it makes the
   * oldest version there is: whatever the installation knows already comes before it.
   */
  readonly fromConfiguration?: true;
}

/**
 * Writes a document from what it was, with its row held: two writers never lose each other's change.
 * @param change gets the present value, or undefined, and returns the new one, or undefined to
 *   delete; what it throws ends the transaction
 * @returns the new value
 */
export async function changeDocument<Value>(
  context: RegistryContext,
  tx: Transaction,
  { kind, scope }: DocumentKind<Value>,
  target: DocumentTarget,
  change: (present: Value | undefined) => Value | undefined,
): Promise<Value | undefined> {
  const { account, name, actor } = target;
  const row = await selectDocumentForUpdate(tx, account, kind, name);
  const present = stored<Value>(row);
  const value = change(present?.value);
  if (value === undefined && present === undefined) return undefined;
  const json = value === undefined ? null : JSON.stringify(value);
  if (row !== undefined && row.value === json) return value;
  const isFirst = target.fromConfiguration && row === undefined;
  const clock = isFirst ? formatHybridTimestamp(0, 0) : context.hybridClock.tick(row?.clock);
  await upsertDocument(tx, {
    account,
    kind,
    name,
    owner: target.owner ?? row?.owner ?? "",
    value: json,
    clock,
    origin: context.region,
    updated_at: context.clock.now(),
  });
  const sequence = await announce(context, tx, {
    kind: value === undefined ? "document_deleted" : "document_set",
    account,
    repository: target.repository ?? "",
    clock,
    origin: context.region,
    actor,
    detail: { kind, name },
  });
  if (scope === "installation") await updateDocumentSequence(tx, { account, kind, name }, sequence);
  return value;
}

function stored<Value>(row: DocumentRow | undefined): StoredDocument<Value> | undefined {
  if (row === undefined || row.value === null) return undefined;
  return {
    name: row.name,
    owner: row.owner,
    value: JSON.parse(row.value) as Value,
    version: { clock: row.clock, origin: row.origin },
    updatedAt: row.updated_at,
  };
}
