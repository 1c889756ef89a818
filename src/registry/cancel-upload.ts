/** Drops an upload session and its bytes. */
import { deleteUpload } from "../metadata/queries/uploads.ts";
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
