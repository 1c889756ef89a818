/** Creates a repository, on request or because something is pushed to it. */

import type { Transaction } from "../metadata/metadata-store.ts";
import {
  insertRepository,
  type RepositoryRow,
  selectRepository,
} from "../metadata/queries/repositories.ts";
import { announce } from "./change.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type CreationTemplate, type TemplatePurpose, templateFor } from "./creation-templates.ts";
import { changeDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import { lifecyclePolicyKind } from "./lifecycle-policy-document.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "./repository-documents.ts";
import {
  defaultRepositorySettings,
  type RepositorySettings,
  repositorySettingsKind,
} from "./repository-settings.ts";
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
  readonly tags?: ResourceTags | undefined;
  readonly repositoryPolicy?: string | undefined;
  readonly lifecyclePolicy?: string | undefined;
}

/** @throws repository_exists */
export function createRepository(
  context: RegistryContext,
  { account, repository, actor }: RepositoryAddress & Actor,
  settings: NewRepositorySettings = {},
): Promise<RepositoryRow> {
  return context.metadata.transaction(async (tx) => {
    const created = await insertAndAnnounce(context, tx, { account, repository, actor });
    if (created === undefined) {
      throw new RegistryError("repository_exists", { repository, account });
    }
    await writeSettings(context, tx, { account, repository, actor }, settings);
    return created;
  });
}

/**
 * The repository that a push goes to. A missing one is created when a template is for that, or when
 * the settings allow it without.
 * @throws repository_unknown
 */
export async function repositoryForPush(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor, mayCreate = true }: RepositoryAddress & Actor,
): Promise<RepositoryRow> {
  const address = { account, repository, actor };
  const existing = await selectRepository(tx, account, repository);
  if (existing !== undefined) return existing;
  const template = await templateFor(tx, address, "CREATE_ON_PUSH");
  const foreseen = template !== undefined || context.settings.createRepositoryOnPush;
  if (!foreseen || !mayCreate) {
    throw new RegistryError("repository_unknown", { repository, account });
  }
  return createFrom(context, tx, address, template);
}

/**
 * Whether a push makes the repository: it is missing, and a template or the settings foresee it.
 * Decisions come before: the answer is not for everybody.
 */
export async function isCreatedByPush(
  context: RegistryContext,
  address: RepositoryAddress,
): Promise<boolean> {
  const { read } = context.metadata;
  if ((await selectRepository(read, address.account, address.repository)) !== undefined) {
    return false;
  }
  if (context.settings.createRepositoryOnPush) return true;
  return (await templateFor(read, address, "CREATE_ON_PUSH")) !== undefined;
}

/**
 * The repository that something is replicated or cached to; a missing one is created, by template if
 * there is one for that purpose.
 */
export async function ensureRepository(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor }: RepositoryAddress & Actor,
  purpose: Exclude<TemplatePurpose, "CREATE_ON_PUSH"> = "REPLICATION",
): Promise<RepositoryRow> {
  const address = { account, repository, actor };
  const existing = await selectRepository(tx, account, repository);
  if (existing !== undefined) return existing;
  return createFrom(context, tx, address, await templateFor(tx, address, purpose));
}

async function createFrom(
  context: RegistryContext,
  tx: Transaction,
  address: RepositoryAddress & Actor,
  template: CreationTemplate | undefined,
): Promise<RepositoryRow> {
  const created = await insertAndAnnounce(context, tx, address);
  // Another push created it between the two statements.
  if (created === undefined) return requireRepository(tx, address);
  if (template !== undefined) {
    const { tagMutability, exclusionFilters, resourceTags } = template;
    const settings =
      tagMutability === "MUTABLE"
        ? undefined
        : { ...defaultRepositorySettings, tagMutability, exclusionFilters };
    await writeSettings(context, tx, address, {
      ...template,
      ...(settings && { settings }),
      tags: resourceTags,
    });
  }
  return created;
}

async function writeSettings(
  context: RegistryContext,
  tx: Transaction,
  { account, repository, actor }: RepositoryAddress & Actor,
  { settings, tags = {}, repositoryPolicy, lifecyclePolicy }: NewRepositorySettings,
): Promise<void> {
  const target = { account, name: repository, owner: repository, repository, actor };
  if (settings !== undefined) {
    await changeDocument(context, tx, repositorySettingsKind, target, () => settings);
  }
  if (Object.keys(tags).length > 0) {
    await changeDocument(context, tx, repositoryTagsKind, target, () => ({ ...tags }));
  }
  if (repositoryPolicy !== undefined) {
    const value = { policyText: repositoryPolicy };
    await changeDocument(context, tx, repositoryPolicyKind, target, () => value);
  }
  if (lifecyclePolicy !== undefined) {
    const value = { text: lifecyclePolicy };
    await changeDocument(context, tx, lifecyclePolicyKind, target, () => value);
  }
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
