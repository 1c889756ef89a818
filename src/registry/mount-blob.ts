/** Makes a blob of one repository a blob of another, without sending it again. */
import type { Digest } from "../image/digest.ts";
import type { Transaction } from "../metadata/metadata-store.ts";
import {
  linkBlob,
  selectRepositoriesWithBlob,
  touchBlob,
  touchBlobLinks,
} from "../metadata/queries/blobs.ts";
import { selectRepository } from "../metadata/queries/repositories.ts";
import { blobMountingSetting, findAccountSetting } from "./account-settings.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, repositoryForPush } from "./create-repository.ts";

/** Repositories that are looked at when the client names none. */
const candidatesLimit = 32;

export interface MountBlobInput extends RepositoryAddress, Actor {
  readonly digest: Digest;
  /** The repository to mount from; absent: any that has the blob and may be read. */
  readonly from?: string;
  /** Whether the caller may pull from a repository of the account. */
  readonly mayPull: (repository: string) => Promise<boolean>;
}

/**
 * @returns true when the blob is now in the repository; false when the client must upload it
 * @throws repository_unknown when the target may not be created
 */
export async function mountBlob(context: RegistryContext, input: MountBlobInput): Promise<boolean> {
  const { account, digest, from, mayPull } = input;
  const mounting = await findAccountSetting(context.metadata.read, account, blobMountingSetting);
  if (mounting !== "ENABLED") return false;
  const candidates =
    from === undefined
      ? await selectRepositoriesWithBlob(context.metadata.read, account, digest, candidatesLimit)
      : [from];
  const sources: string[] = [];
  for (const candidate of candidates) if (await mayPull(candidate)) sources.push(candidate);
  if (sources.length === 0) return false;
  return context.metadata.transaction(async (tx) => {
    for (const source of sources) {
      if (await holdSource(context, tx, account, source, digest)) {
        const target = await repositoryForPush(context, tx, input);
        await linkBlob(tx, target.id, digest, context.clock.now());
        return true;
      }
    }
    return false;
  });
}

/** Renews the source's link and the blob, so that the collector keeps off until the commit. */
async function holdSource(
  context: RegistryContext,
  tx: Transaction,
  account: string,
  source: string,
  digest: Digest,
): Promise<boolean> {
  const repository = await selectRepository(tx, account, source);
  if (repository === undefined) return false;
  const now = context.clock.now();
  if ((await touchBlob(tx, digest, now)) === undefined) return false;
  return (await touchBlobLinks(tx, repository.id, [digest], now)).has(digest);
}
