/** Drops an upload session and its bytes. */
import { deleteUpload, selectExpiredUploads } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "./context.ts";
import { openUpload, type UploadAddress } from "./find-upload.ts";

/** @throws upload_unknown */
export function cancelUpload(context: RegistryContext, upload: UploadAddress): Promise<void> {
  return context.uploadMutex.runExclusively(upload.uploadId, async () => {
    const { stage } = await openUpload(context, upload);
    await context.metadata.transaction((tx) => deleteUpload(tx, upload.uploadId));
    await stage.discard();
  });
}

/**
 * Drops the sessions that clients abandoned.
 * @returns how many
 */
export async function expireUploads(context: RegistryContext): Promise<number> {
  const before = context.clock.now() - context.settings.uploadExpiryMilliseconds;
  const ids = await selectExpiredUploads(context.metadata.read, before, 1000);
  for (const id of ids) {
    await context.uploadMutex.runExclusively(id, async () => {
      await context.metadata.transaction((tx) => deleteUpload(tx, id));
      await (await context.blobs.stage(id)).discard();
    });
  }
  return ids.length;
}
