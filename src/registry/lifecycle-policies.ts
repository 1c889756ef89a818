/** Lifecycle policies of repositories, and previews of what they would do. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectSetting } from "../metadata/queries/settings.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, requireRepository } from "./create-repository.ts";
import { changeDocument, documentKind, findDocument } from "./documents.ts";
import { RegistryError } from "./errors.ts";
import type { LifecycleImage } from "./lifecycle/decide.ts";
import { evaluateLifecycle } from "./lifecycle/evaluate.ts";
import type { LifecycleDecision } from "./lifecycle/policy.ts";
import { readLifecyclePolicy } from "./lifecycle/read-policy.ts";
import { lifecyclePolicyKind } from "./lifecycle-policy-document.ts";

/** Name and owner: the repository. What is previewed is found anew at every look, as of `startedAt`. */
export const lifecyclePreviewKind = documentKind<{ text: string; startedAt: number }>(
  "lifecycle-policy-preview",
  "region",
);

/** Where the time of the last run is kept: no change of state, so nothing for the journal. */
export const evaluatedSetting = (repository: string) => `lifecycle-evaluated ${repository}`;

export interface StoredLifecyclePolicy {
  readonly text: string;
  /** Milliseconds since the epoch; undefined when it was never carried out. */
  readonly evaluatedAt: number | undefined;
}

/** @throws repository_unknown, parameter_invalid */
export async function putLifecyclePolicy(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  text: string,
): Promise<void> {
  readLifecyclePolicy(text);
  await context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    await changeDocument(context, tx, lifecyclePolicyKind, targetOf(address), () => ({ text }));
  });
}

/** @throws repository_unknown, setting_unknown */
export async function findLifecyclePolicy(
  { metadata }: RegistryContext,
  address: RepositoryAddress,
): Promise<StoredLifecyclePolicy> {
  const { account, repository } = address;
  await requireRepository(metadata.read, address);
  const found = await findDocument(metadata.read, lifecyclePolicyKind, account, repository);
  if (found === undefined) throw unknown("lifecycle_policy", address);
  return { text: found.value.text, evaluatedAt: await evaluatedAt(metadata.read, address) };
}

/** @returns what it was @throws repository_unknown, setting_unknown */
export function deleteLifecyclePolicy(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
): Promise<StoredLifecyclePolicy> {
  return context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    let text = "";
    await changeDocument(context, tx, lifecyclePolicyKind, targetOf(address), (present) => {
      if (present === undefined) throw unknown("lifecycle_policy", address);
      text = present.text;
      return undefined;
    });
    return { text, evaluatedAt: await evaluatedAt(tx, address) };
  });
}

/**
 * @param text absent: the repository's own policy
 * @returns the text that is previewed
 * @throws repository_unknown, setting_unknown, parameter_invalid
 */
export async function startLifecyclePreview(
  context: RegistryContext,
  address: RepositoryAddress & Actor,
  given: string | undefined,
): Promise<string> {
  const text = given ?? (await findLifecyclePolicy(context, address)).text;
  readLifecyclePolicy(text);
  const startedAt = context.clock.now();
  await context.metadata.transaction(async (tx) => {
    await requireRepository(tx, address);
    const value = { text, startedAt };
    await changeDocument(context, tx, lifecyclePreviewKind, targetOf(address), () => value);
  });
  return text;
}

/** In the order of the digests. @throws repository_unknown, setting_unknown */
export async function findLifecyclePreview(
  { metadata }: RegistryContext,
  address: RepositoryAddress,
): Promise<{ text: string; decisions: LifecycleDecision<LifecycleImage>[] }> {
  const { account, repository } = address;
  const { id } = await requireRepository(metadata.read, address);
  const found = await findDocument(metadata.read, lifecyclePreviewKind, account, repository);
  if (found === undefined) throw unknown("lifecycle_policy_preview", address);
  const { text, startedAt } = found.value;
  const rules = readLifecyclePolicy(text);
  const decisions = await evaluateLifecycle(metadata.read, id, rules, startedAt);
  decisions.sort((a, b) => (a.image.digest < b.image.digest ? -1 : 1));
  return { text, decisions };
}

async function evaluatedAt(
  db: Queryable,
  { account, repository }: RepositoryAddress,
): Promise<number | undefined> {
  const at = await selectSetting(db, account, evaluatedSetting(repository));
  return at === undefined ? undefined : Number(at);
}

function targetOf({ account, repository, actor }: RepositoryAddress & Actor) {
  return { account, name: repository, owner: repository, repository, actor };
}

function unknown(
  setting: "lifecycle_policy" | "lifecycle_policy_preview",
  { account, repository }: RepositoryAddress,
): RegistryError {
  return new RegistryError("setting_unknown", { setting, name: repository, account });
}
