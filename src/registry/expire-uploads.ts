/** Drops the upload sessions that clients abandoned, with their bytes. */
import { deleteExpiredUpload, selectExpiredUploads } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "./context.ts";

const pageRows = 500;

/**
 * @param found is told each session's id
 * @returns how many sessions were dropped
 */
export async function expireUploads(
  context: RegistryContext,
  found: (uploadId: string) => void = () => {},
): Promise<number> {
  const touchedBefore = uploadExpiryCutoff(context);
  let total = 0;
  for (;;) {
    const page = await selectExpiredUploads(context.metadata.read, touchedBefore, pageRows);
    let expired = 0;
    for (const uploadId of page) {
      if (!(await expireUpload(context, uploadId, touchedBefore))) continue;
      found(uploadId);
      expired++;
    }
    total += expired;
    if (page.length < pageRows || expired === 0) return total;
  }
}

/** Sessions that were not touched since are abandoned; milliseconds since the epoch. */
export function uploadExpiryCutoff({ clock, settings }: RegistryContext): number {
  return clock.now() - settings.uploadExpiryMilliseconds;
}

/** The mutex is this process's own; against others, the session's row decides who comes first. */
function expireUpload(
  context: RegistryContext,
  uploadId: string,
  touchedBefore: number,
): Promise<boolean> {
  return context.uploadMutex.runExclusively(uploadId, async () => {
    const expired = await context.metadata.transaction(
      (tx) => deleteExpiredUpload(tx, uploadId, touchedBefore),
      { durable: false },
    );
    if (expired) await (await context.blobs.stage(uploadId)).discard();
    return expired;
  });
}
