/** Opens an upload session. */
import type { DigestAlgorithm } from "../image/digest.ts";
import { countUploads, insertUpload } from "../metadata/queries/uploads.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { type Actor, repositoryForPush } from "./create-repository.ts";
import { RegistryError } from "./errors.ts";

/**
 * @returns the session's id
 * @throws repository_unknown, uploads_too_many
 */
export async function startUpload(
  context: RegistryContext,
  input: RepositoryAddress & Actor & { algorithm?: DigestAlgorithm },
): Promise<string> {
  const id = context.random.uuid();
  const limit = context.settings.uploadsPerRepositoryLimit;
  await context.metadata.transaction(
    async (tx) => {
      const repository = await repositoryForPush(context, tx, input);
      if ((await countUploads(tx, repository.id)) >= limit) {
        throw new RegistryError("uploads_too_many", { limit });
      }
      await insertUpload(tx, {
        id,
        repositoryId: repository.id,
        digestAlgorithm: input.algorithm ?? "sha256",
        now: context.clock.now(),
      });
    },
    // Nothing has been promised yet: a session lost in a power cut is begun again by the client.
    { durable: false },
  );
  return id;
}
