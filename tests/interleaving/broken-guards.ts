/**
 * The guards between collector and push, each taken out: what the checker must notice. If one of
 * these goes unnoticed, the checker proves nothing about the guard.
 */
import type { Dialect, MetadataStore, SqlValue } from "../../src/metadata/metadata-store.ts";
import type { TaskStores } from "../support/interleaving.ts";

export type Break = (stores: TaskStores) => TaskStores;

/** The collector does not look for links once it holds the blob's row. */
export const withoutLookingForLinks: Break = (stores) =>
  withSql(stores, (sql) =>
    sql.startsWith("select distinct digest from repository_blobs") ? `${sql} and 1 = 0` : sql,
  );

/** The collector does not look for references once it holds the link. */
export const withoutLookingForReferences: Break = (stores) =>
  withSql(stores, (sql) =>
    sql.startsWith("delete from repository_blobs")
      ? sql.replace(/and not exists \([\s\S]*\)\s+returning/, "returning")
      : sql,
  );

/** The collector does not look again whether somebody was promised the blob meanwhile. */
export const withoutLookingForTouches: Break = (stores) =>
  withSql(stores, (sql) => sql.replace(/touched_at < (\$\d)/, "touched_at < $1 + touched_at"));

/** The collector takes the bytes behind its commit instead of before. */
export const bytesAfterTheCommit: Break = ({ metadata, blobs }) => ({
  metadata,
  blobs: {
    ...blobs,
    async withdraw(digest, id) {
      const stat = await blobs.stat(digest);
      if (stat === undefined) return undefined;
      return {
        digest,
        size: stat.size,
        id,
        async read() {
          return (await blobs.read(digest)) ?? new Blob();
        },
        async restore() {},
        destroy: async () => (await blobs.withdraw(digest, id))?.destroy(),
        quarantine: async () => (await blobs.withdraw(digest, id))?.quarantine(),
      };
    },
  },
});

/** The collector deletes instead of withdrawing, so that nothing can be put back. */
export const withoutTheWayBack: Break = ({ metadata, blobs }) => ({
  metadata,
  blobs: {
    ...blobs,
    async withdraw(digest, id) {
      const blob = await blobs.withdraw(digest, id);
      await blob?.destroy();
      return blob;
    },
  },
});

/** The push believes that what it published is still there when it gets the row. */
export const withoutLookingForBytes: Break = ({ metadata, blobs }) => ({
  metadata,
  blobs: {
    ...blobs,
    stat: async (digest) => (await blobs.stat(digest)) ?? { digest, size: 0, revision: "" },
  },
});

/** Nobody holds rows: for PostgreSQL, where transactions run side by side. */
export const withoutHoldingRows: Break = ({ metadata, blobs }) => {
  return {
    blobs,
    metadata: {
      ...metadata,
      transaction: (work, options) =>
        metadata.transaction((tx) => {
          const dialect: Dialect = { ...tx.dialect, forUpdate: "", forUpdateSkipLocked: "" };
          return work({ ...tx, dialect });
        }, options),
    },
  };
};

/** The push of a manifest looks at its links without holding them. */
export const withoutHoldingLinks: Break = (stores) =>
  withSql(stores, (sql) =>
    sql.startsWith("update repository_blobs set touched_at = $2")
      ? sql
          .replace(
            "update repository_blobs set touched_at = $2",
            "select digest from repository_blobs",
          )
          .replace("where", "where cast($2 as bigint) > 0 and")
          .replace("returning digest", "")
      : sql,
  );

function withSql({ metadata, blobs }: TaskStores, rewrite: (sql: string) => string): TaskStores {
  const rewritten: MetadataStore = {
    ...metadata,
    transaction: (work, options) =>
      metadata.transaction(
        (tx) =>
          work({
            ...tx,
            all: <Row>(sql: string, parameters?: readonly SqlValue[]) =>
              tx.all<Row>(rewrite(sql), parameters),
          }),
        options,
      ),
  };
  return { metadata: rewritten, blobs };
}
