/** Turns an upload session into a blob of the repository. */
import { DigestMismatchError } from "../blobs/verified.ts";
import type { Digest } from "../image/digest.ts";
import { linkBlob } from "../metadata/queries/blobs.ts";
import { deleteUpload } from "../metadata/queries/uploads.ts";
import { appendToStage, type UploadChunk } from "./append-upload.ts";
import type { RegistryContext } from "./context.ts";
import { RegistryError } from "./errors.ts";
import { openUpload, type UploadAddress } from "./find-upload.ts";
import { publishBlob } from "./publish-blob.ts";

/**
 * Resolves when the blob is durable. Bytes that do not have the digest end the session.
 * @param last the last chunk, when the closing request carries one
 * @throws upload_unknown, upload_range_invalid, size_invalid, blob_too_large, digest_mismatch
 */
export function finishUpload(
  context: RegistryContext,
  upload: UploadAddress,
  digest: Digest,
  last?: UploadChunk,
): Promise<void> {
  const { uploadId } = upload;
  return context.uploadMutex.runExclusively(uploadId, async () => {
    const { repositoryId, stage } = await openUpload(context, upload);
    if (last !== undefined) await appendToStage(context, upload, stage, last);
    try {
      await publishBlob(context, stage, digest, async (tx, now) => {
        await linkBlob(tx, repositoryId, digest, now);
        await deleteUpload(tx, uploadId);
      });
    } catch (error) {
      if (!(error instanceof DigestMismatchError)) throw error;
      await context.metadata.transaction((tx) => deleteUpload(tx, uploadId));
      await stage.discard();
      const { expected, actual } = error;
      throw new RegistryError("digest_mismatch", { expected, actual }, { cause: error });
    }
    await stage.discard();
  });
}
