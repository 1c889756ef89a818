/** Users and roles whose pulls leave no time behind: scanners, pipelines. */
import type { RegistryContext } from "./context.ts";
import type { Actor } from "./create-repository.ts";
import { changeDocument, documentKind, listDocuments } from "./documents.ts";
import { RegistryError } from "./errors.ts";

/** Name: the principal's ARN. */
export const pullTimeExclusionKind = documentKind<{ createdAt: number }>(
  "pull-time-exclusion",
  "region",
);

const exclusionsLimit = 100;

interface Exclusion extends Actor {
  readonly account: string;
  readonly principalArn: string;
}

/** @returns when it was registered @throws setting_exists, limit_exceeded */
export function registerPullTimeExclusion(
  context: RegistryContext,
  { account, principalArn, actor }: Exclusion,
): Promise<number> {
  const createdAt = context.clock.now();
  return context.metadata.transaction(async (tx) => {
    const present = await listDocuments(tx, pullTimeExclusionKind, account, {
      limit: exclusionsLimit,
    });
    const target = { account, name: principalArn, actor };
    await changeDocument(context, tx, pullTimeExclusionKind, target, (existing) => {
      if (existing !== undefined) {
        const setting = "pull_time_exclusion";
        throw new RegistryError("setting_exists", { setting, name: principalArn, account });
      }
      if (present.length >= exclusionsLimit) {
        const what = "pull time update exclusions";
        throw new RegistryError("limit_exceeded", { what, limit: exclusionsLimit });
      }
      return { createdAt };
    });
    return createdAt;
  });
}

/** @throws setting_unknown */
export async function deregisterPullTimeExclusion(
  context: RegistryContext,
  { account, principalArn, actor }: Exclusion,
): Promise<void> {
  await context.metadata.transaction((tx) =>
    changeDocument(
      context,
      tx,
      pullTimeExclusionKind,
      { account, name: principalArn, actor },
      (present) => {
        if (present !== undefined) return undefined;
        const setting = "pull_time_exclusion";
        throw new RegistryError("setting_unknown", { setting, name: principalArn, account });
      },
    ),
  );
}
