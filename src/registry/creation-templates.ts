/**
 * Templates of repositories that nobody creates by hand: because something is pushed, replicated or
 * cached there. The longest prefix wins; ROOT is for all that no other template is for.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
 */
import type { MetadataStore, Queryable } from "../metadata/metadata-store.ts";
import { selectSetting, upsertSetting } from "../metadata/queries/settings.ts";
import type { RegistryContext } from "./context.ts";
import type { Actor } from "./create-repository.ts";
import { changeDocument, documentKind, findDocument, listDocuments } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import type { TagMutabilitySettings } from "./repository-settings.ts";
import type { ResourceTags } from "./resource-tags.ts";

export type TemplatePurpose = "REPLICATION" | "PULL_THROUGH_CACHE" | "CREATE_ON_PUSH";

export interface CreationTemplate extends TagMutabilitySettings {
  readonly description?: string | undefined;
  readonly resourceTags?: ResourceTags | undefined;
  readonly repositoryPolicy?: string | undefined;
  readonly lifecyclePolicy?: string | undefined;
  readonly appliedFor: readonly TemplatePurpose[];
  readonly customRoleArn?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Name: the prefix without its slash at the end, or ROOT. */
export const creationTemplateKind = documentKind<CreationTemplate>("creation-template", "region");
export const rootPrefix = "ROOT";
const templatesLimit = 50;

interface TemplateAddress extends Actor {
  readonly account: string;
  readonly prefix: string;
}

/** `team` and `team/` are the same prefix: a slash is implied. */
const nameOf = (prefix: string) => prefix.replace(/\/$/, "");

/** @throws setting_exists, limit_exceeded */
export async function createTemplate(
  context: RegistryContext,
  { account, prefix, actor }: TemplateAddress,
  template: CreationTemplate,
): Promise<void> {
  const name = nameOf(prefix);
  await context.metadata.transaction(async (tx) => {
    const page = { limit: templatesLimit };
    const { length } = await listDocuments(tx, creationTemplateKind, account, page);
    await changeDocument(context, tx, creationTemplateKind, { account, name, actor }, (present) => {
      if (present !== undefined) {
        throw new RegistryError("setting_exists", { setting: "creation_template", name, account });
      }
      if (length >= templatesLimit) {
        const what = "repository creation templates";
        throw new RegistryError("limit_exceeded", { what, limit: templatesLimit });
      }
      return template;
    });
  });
}

/** @throws setting_unknown */
export async function updateTemplate(
  context: RegistryContext,
  { account, prefix, actor }: TemplateAddress,
  change: (present: CreationTemplate) => CreationTemplate,
): Promise<CreationTemplate> {
  const name = nameOf(prefix);
  const unknown = () =>
    new RegistryError("setting_unknown", { setting: "creation_template", name, account });
  const updated = await context.metadata.transaction((tx) =>
    changeDocument(context, tx, creationTemplateKind, { account, name, actor }, (present) => {
      if (present === undefined) throw unknown();
      return change(present);
    }),
  );
  if (updated === undefined) throw unknown();
  return updated;
}

/** The template for a repository that is to be made, if there is one. */
export async function templateFor(
  db: Queryable,
  { account, repository }: { account: string; repository: string },
  purpose: TemplatePurpose,
): Promise<CreationTemplate | undefined> {
  const parts = repository.split("/").slice(0, -1);
  const names = [...parts.map((_, i) => parts.slice(0, parts.length - i).join("/")), rootPrefix];
  for (const name of names) {
    const found = await findDocument(db, creationTemplateKind, account, name);
    if (found?.value.appliedFor.includes(purpose)) return found.value;
  }
  return undefined;
}

const firstStart = "creation-templates";

/**
 * What a new registry begins with, once in its life: a ROOT template by which a push creates its
 * repository, or nothing. After that the templates are the operator's.
 */
export async function ensureFirstTemplates(
  context: RegistryContext,
  { account, templates }: { account: string; templates: "root" | "none" },
): Promise<void> {
  if (await wasStarted(context.metadata, account)) return;
  const now = context.clock.now();
  if (templates === "root") {
    const actor = `arn:aws:iam::${account}:root`;
    await context.metadata.transaction((tx) =>
      changeDocument(
        context,
        tx,
        creationTemplateKind,
        { account, name: rootPrefix, actor },
        (present): CreationTemplate =>
          present ?? {
            description: "Made at the first start: a push creates its repository",
            tagMutability: "MUTABLE",
            exclusionFilters: [],
            appliedFor: ["CREATE_ON_PUSH"],
            createdAt: now,
            updatedAt: now,
          },
      ),
    );
  }
  await context.metadata.transaction((tx) =>
    upsertSetting(tx, account, firstStart, templates, now),
  );
}

async function wasStarted({ read }: MetadataStore, account: string): Promise<boolean> {
  return (await selectSetting(read, account, firstStart)) !== undefined;
}
