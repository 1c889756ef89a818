/** Creates a repository, on request or because something is pushed to it. */

import type { Transaction } from "../metadata/metadata-store.ts";
import {
  insertRepository,
  type RepositoryRow,
  selectRepository,
} from "../metadata/queries/repositories.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { changeDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { repositoryTagsKind } from "./repository-documents.ts";
import { type RepositorySettings, repositorySettingsKind } from "./repository-settings.ts";
import type { ResourceTags } from "./resource-tags.ts";

export interface Actor {
  /** ARN of the principal that acts. */
  readonly actor: string;
  /** Whether a push may create the repository when it is missing. Absent: it may. */
  readonly mayCreate?: boolean;
}

/** What a new repository is set to; what is absent has its default. */
export interface NewRepositorySettings {
  readonly settings?: RepositorySettings;
  readonly tags?: ResourceTags;
}

/** @throws repository_exists */
export function createRepository(
  context: RegistryContext,
  { account, repository, actor }: RepositoryAddress & Actor,
  { settings, tags }: NewRepositorySettings = {},
): Promise<RepositoryRow> {
  return context.metadata.transaction(async (tx) => {
    const created = await insertAndAnnounce(context, tx, { account, repository, actor });
    if (created === undefined) {
      throw new RegistryError("repository_exists", { repository, account });
    }
    const target = { account, name: repository, owner: repository, repository, actor };
    if (settings !== undefined) {
      await changeDocument(context, tx, repositorySettingsKind, target, () => settings);
    }
    if (tags !== undefined && Object.keys(tags).length > 0) {
      await changeDocument(context, tx, repositoryTagsKind, target, () => ({ ...tags }));
    }
    return created;
  });
}

/**
 * The repository that a push goes to. A missing one is created when the settings allow it.
 * @throws repository_unknown
 */
export async function repositoryForPush(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor, mayCreate = true }: RepositoryAddress & Actor,
): Promise<RepositoryRow> {
  const existing = await selectRepository(tx, account, repository);
  if (existing !== undefined) return existing;
  if (!context.settings.createRepositoryOnPush || !mayCreate) {
    throw new RegistryError("repository_unknown", { repository, account });
  }
  return ensureRepository(context, tx, { account, repository, actor });
}

/** Whether it is there. Decisions come before: the answer is not for everybody. */
export async function repositoryExists(
  { metadata }: RegistryContext,
  { account, repository }: RepositoryAddress,
): Promise<boolean> {
  return (await selectRepository(metadata.read, account, repository)) !== undefined;
}

/** The repository, created when it is missing, whatever the settings say about pushes. */
export async function ensureRepository(
  context: RegistryContext,
  tx: Transaction,
  input: RepositoryAddress & Actor,
): Promise<RepositoryRow> {
  return (
    (await selectRepository(tx, input.account, input.repository)) ??
    (await insertAndAnnounce(context, tx, input)) ??
    // Another push created it between the two statements.
    (await requireRepository(tx, input))
  );
}

/** @throws repository_unknown */
export async function requireRepository(
  db: Pick<Transaction, "all" | "dialect">,
  { account, repository }: RepositoryAddress,
): Promise<RepositoryRow> {
  const row = await selectRepository(db, account, repository);
  if (row === undefined) throw new RegistryError("repository_unknown", { repository, account });
  return row;
}

async function insertAndAnnounce(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor }: RepositoryAddress & Actor,
): Promise<RepositoryRow | undefined> {
  const created = await insertRepository(tx, account, repository, context.clock.now());
  if (created === undefined) return undefined;
  await announce(context, tx, {
    kind: "repository_created",
    account,
    repository,
    repositoryId: created.id,
    origin: context.region,
    actor,
  });
  return created;
}
