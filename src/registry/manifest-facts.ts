/** What events tell of a manifest. It is noted in the journal, because the manifest may be gone when the event is made. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectImagesByDigest } from "../metadata/queries/images.ts";

/** Members of the `detail` of a change. */
export type ManifestFacts = {
  readonly manifestMediaType: string;
  readonly artifactMediaType?: string;
  readonly subject?: string;
};

/** @param manifest as it was parsed, or as its row has it */
export function manifestFacts(manifest: {
  readonly mediaType: string;
  readonly artifactType?: string | null | undefined;
  readonly subject?: string | null | undefined;
}): ManifestFacts {
  const { mediaType, artifactType, subject } = manifest;
  return {
    manifestMediaType: mediaType,
    ...(artifactType != null && { artifactMediaType: artifactType }),
    ...(subject != null && { subject }),
  };
}

/** Of a manifest that is in the repository; nothing when it is not. */
export async function storedManifestFacts(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<Partial<ManifestFacts>> {
  const [image] = await selectImagesByDigest(db, repositoryId, [digest]);
  if (image === undefined) return {};
  return manifestFacts({
    ...image,
    mediaType: image.media_type,
    artifactType: image.artifact_type,
  });
}
