/**
 * Carries out the lifecycle policies of all repositories. Each image goes in a transaction of its
 * own, which looks again: what was tagged, indexed or pushed meanwhile is left for the next run.
 */
import { selectDocumentsOfKind } from "../../metadata/queries/documents.ts";
import { selectReferringIndex, updateStorageClass } from "../../metadata/queries/images.ts";
import { selectManifestDigests } from "../../metadata/queries/manifests.ts";
import { holdRepository, selectRepository } from "../../metadata/queries/repositories.ts";
import { upsertSetting } from "../../metadata/queries/settings.ts";
import { selectTagsOfManifest } from "../../metadata/queries/tags.ts";
import { announce } from "../change.ts";
import type { RegistryContext, RepositoryAddress } from "../context.ts";
import { removeManifest } from "../delete-manifest.ts";
import { evaluatedSetting } from "../lifecycle-policies.ts";
import { lifecyclePolicyKind } from "../lifecycle-policy-document.ts";
import { storedManifestFacts } from "../manifest-facts.ts";
import type { LifecycleImage } from "./decide.ts";
import { evaluateLifecycle } from "./evaluate.ts";
import type { LifecycleDecision } from "./policy.ts";
import { readLifecyclePolicy } from "./read-policy.ts";

export interface LifecycleRun {
  readonly repositories: number;
  readonly expired: number;
  readonly archived: number;
}

const batch = 100;

export async function runLifecyclePolicies(context: RegistryContext): Promise<LifecycleRun> {
  const total = { repositories: 0, expired: 0, archived: 0 };
  for (let after = { account: "", name: "" }; ; ) {
    const { kind } = lifecyclePolicyKind;
    const rows = await selectDocumentsOfKind(context.metadata.read, kind, {
      ...after,
      limit: batch,
    });
    for (const { account, name, value } of rows) {
      if (value === null) continue;
      const { text } = JSON.parse(value) as { text: string };
      const done = await runOne(context, { account, repository: name }, text);
      total.repositories += 1;
      total.expired += done.expired;
      total.archived += done.archived;
    }
    const last = rows.at(-1);
    if (rows.length < batch || last === undefined) return total;
    after = { account: last.account, name: last.name };
  }
}

async function runOne(
  context: RegistryContext,
  address: RepositoryAddress,
  text: string,
): Promise<{ expired: number; archived: number }> {
  const { account, repository } = address;
  const done = { expired: 0, archived: 0 };
  const row = await selectRepository(context.metadata.read, account, repository);
  if (row === undefined) return done;
  const now = context.clock.now();
  const rules = readLifecyclePolicy(text);
  const decisions = await evaluateLifecycle(context.metadata.read, row.id, rules, now);
  for (const decision of decisions) {
    if (!(await carryOut(context, address, row.id, decision))) continue;
    if (decision.action === "expire") done.expired += 1;
    else done.archived += 1;
  }
  await context.metadata.transaction(async (tx) => {
    await upsertSetting(tx, account, evaluatedSetting(repository), String(now), now);
    if (decisions.length === 0) return;
    await announce(context, tx, {
      kind: "lifecycle_policy_executed",
      account,
      repository,
      repositoryId: row.id,
      origin: context.region,
      actor: lifecycleActor(context, account),
      detail: { ...done, left: decisions.length - done.expired - done.archived },
    });
  });
  return done;
}

/** False when the image is not as it was. */
function carryOut(
  context: RegistryContext,
  { account, repository }: RepositoryAddress,
  id: number,
  { image, action, rulePriority }: LifecycleDecision<LifecycleImage>,
): Promise<boolean> {
  const { digest } = image;
  const actor = lifecycleActor(context, account);
  return context.metadata.transaction(async (tx) => {
    if (!(await holdRepository(tx, id))) return false;
    if ((await selectManifestDigests(tx, id, [digest])).size === 0) return false;
    const tags = (await selectTagsOfManifest(tx, id, digest)).map(({ name }) => name);
    if (tags.join("\n") !== [...image.tags].sort().join("\n")) return false;
    if ((await selectReferringIndex(tx, id, digest)) !== undefined) return false;
    if (action === "expire") {
      const reason = { lifecycle: { rulePriority } };
      await removeManifest(context, tx, id, { account, repository, digest, actor, reason });
      return true;
    }
    if (!(await updateStorageClass(tx, id, digest, "ARCHIVE", context.clock.now()))) return false;
    await announce(context, tx, {
      kind: "image_storage_class_set",
      account,
      repository,
      repositoryId: id,
      digest,
      origin: context.region,
      actor,
      detail: {
        ...(await storedManifestFacts(tx, id, digest)),
        storageClass: "ARCHIVE",
        lifecycle: { rulePriority },
      },
    });
    return true;
  });
}

function lifecycleActor({ region }: RegistryContext, account: string): string {
  return `arn:aws:ecr:${region}:${account}:lifecycle-policy`;
}
