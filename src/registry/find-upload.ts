/** Looks up an upload session, and how much of it is here. */
import type { BlobStage } from "../blobs/blob-store.ts";
import type { DigestAlgorithm } from "../image/digest.ts";
import { selectUpload, touchUpload } from "../metadata/queries/uploads.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { RegistryError } from "./errors.ts";

export type UploadAddress = RepositoryAddress & { readonly uploadId: string };

/** Renewing the session on every chunk would be a write each; this is often enough for expiry. */
const touchMilliseconds = 60_000;

/** Whether a session that was renewed at that time should be renewed now. */
export function isTouchDue({ clock, settings }: RegistryContext, touchedAt: number): boolean {
  const interval = Math.min(touchMilliseconds, settings.uploadExpiryMilliseconds / 4);
  return clock.now() - touchedAt > interval;
}

/**
 * Keeps the session from expiring.
 * @throws upload_unknown when it has expired
 */
export async function renewUpload(context: RegistryContext, uploadId: string): Promise<void> {
  const now = context.clock.now();
  const renewed = await context.metadata.transaction((tx) => touchUpload(tx, uploadId, now), {
    durable: false,
  });
  if (!renewed) throw new RegistryError("upload_unknown", { uploadId });
}

export interface OpenUpload {
  readonly repositoryId: number;
  readonly stage: BlobStage;
}

/**
 * The session with its staged bytes. Hold `context.uploadMutex` for its id.
 * @throws upload_unknown
 */
export async function openUpload(
  context: RegistryContext,
  { account, repository, uploadId }: UploadAddress,
): Promise<OpenUpload> {
  const row = await selectUpload(context.metadata.read, account, repository, uploadId);
  if (row === undefined) throw new RegistryError("upload_unknown", { uploadId });
  if (isTouchDue(context, row.touched_at)) await renewUpload(context, uploadId);
  const stage = await context.blobs.stage(uploadId, row.digest_algorithm as DigestAlgorithm);
  return { repositoryId: row.repository_id, stage };
}

/**
 * Bytes held so far.
 * @throws upload_unknown
 */
export async function uploadSize(context: RegistryContext, upload: UploadAddress): Promise<number> {
  return (await openUpload(context, upload)).stage.size;
}
