/** Queries on documents: versioned settings and identities. */
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { holdName } from "./hold.ts";

export interface DocumentRow {
  account: string;
  kind: string;
  name: string;
  owner: string;
  /** JSON; null when the document was deleted. */
  value: string | null;
  clock: string;
  origin: string;
  updated_at: number;
}

const columns = "account, kind, name, owner, value, clock, origin, updated_at";

/** Deleted ones are found too, with a null value. */
export async function selectDocument(
  db: Queryable,
  account: string,
  kind: string,
  name: string,
): Promise<DocumentRow | undefined> {
  const rows = await db.all<DocumentRow>(
    `select ${columns} from documents where account = $1 and kind = $2 and name = $3`,
    [account, kind, name],
  );
  return rows[0];
}

/** The same, holding the document until the transaction ends, also when it does not exist yet. */
export async function selectDocumentForUpdate(
  tx: Transaction,
  account: string,
  kind: string,
  name: string,
): Promise<DocumentRow | undefined> {
  await holdName(tx, `document ${account} ${kind} ${name}`);
  return selectDocument(tx, account, kind, name);
}

export async function upsertDocument(tx: Transaction, row: DocumentRow): Promise<void> {
  await tx.all(
    `insert into documents (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (account, kind, name) do update
     set owner = excluded.owner, value = excluded.value, clock = excluded.clock,
         origin = excluded.origin, updated_at = excluded.updated_at`,
    [row.account, row.kind, row.name, row.owner, row.value, row.clock, row.origin, row.updated_at],
  );
}

export interface DocumentKey {
  readonly account: string;
  readonly kind: string;
  readonly name: string;
}

/** Gives a document of the installation the journal's number of its newest change. */
export async function updateDocumentSequence(
  tx: Transaction,
  { account, kind, name }: DocumentKey,
  sequence: number,
): Promise<void> {
  await tx.all(
    "update documents set sequence = $4 where account = $1 and kind = $2 and name = $3",
    [account, kind, name, sequence],
  );
}

export type SequencedDocumentRow = DocumentRow & { readonly sequence: number };

/** Documents of the installation whose newest change is behind `after`, deleted ones too. */
export function selectDocumentsBehind(
  db: Queryable,
  after: number,
  limit: number,
): Promise<SequencedDocumentRow[]> {
  return db.all<SequencedDocumentRow>(
    `select ${columns}, sequence from documents
     where sequence > $1 order by sequence limit $2`,
    [after, limit],
  );
}

/** The number of the newest change of a document of the installation; 0 when there is none. */
export async function selectLastDocumentSequence(db: Queryable): Promise<number> {
  const rows = await db.all<{ last: number | null }>(
    "select max(sequence) as last from documents where sequence is not null",
  );
  return rows[0]?.last ?? 0;
}

/** Documents of that name in all accounts, without the deleted ones. */
export function selectDocumentsNamed(
  db: Queryable,
  kind: string,
  name: string,
): Promise<DocumentRow[]> {
  return db.all<DocumentRow>(
    `select ${columns} from documents
     where kind = $1 and name = $2 and value is not null order by account`,
    [kind, name],
  );
}

/** The accounts that have a document of the kind, in order. */
export function selectAccountsWithDocument(
  db: Queryable,
  kind: string,
): Promise<{ account: string }[]> {
  return db.all<{ account: string }>(
    `select distinct account from documents
     where kind = $1 and value is not null order by account`,
    [kind],
  );
}

export interface DocumentPage {
  readonly account: string;
  readonly kind: string;
  /** Only what belongs to this owner. */
  readonly owner?: string;
  /** Names behind this one, in byte order. */
  readonly after: string;
  readonly limit: number;
}

/** Documents that are not deleted, in the order of their names. */
export function selectDocuments(db: Queryable, page: DocumentPage): Promise<DocumentRow[]> {
  const parameters: SqlValue[] = [page.account, page.kind, page.after, page.limit];
  if (page.owner !== undefined) parameters.push(page.owner);
  return db.all<DocumentRow>(
    `select ${columns} from documents
     where account = $1 and kind = $2 and name > $3 and value is not null
       ${page.owner === undefined ? "" : "and owner = $5"}
     order by name limit $4`,
    parameters,
  );
}

/** Documents of a kind in all accounts, deleted ones too, behind an account and name. */
export function selectDocumentsOfKind(
  db: Queryable,
  kind: string,
  page: { readonly account: string; readonly name: string; readonly limit: number },
): Promise<DocumentRow[]> {
  return db.all<DocumentRow>(
    `select ${columns} from documents
     where kind = $1 and (account > $2 or (account = $2 and name > $3))
     order by account, name limit $4`,
    [kind, page.account, page.name, page.limit],
  );
}
