/** Images with their tags, sizes and times. */
import { isIndexType } from "../image/media-type.ts";
import type { Queryable } from "../metadata/metadata-store.ts";
import {
  type ImageFilter,
  type ImageRow,
  selectChildren,
  selectContentBytes,
  selectImages,
  selectImagesByDigest,
  selectTagsOfDigests,
} from "../metadata/queries/images.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";

export interface DescribedImage extends ImageRow {
  readonly tags: readonly string[];
  /** Configuration and layers; of an index, those of its largest image. */
  readonly contentBytes: number;
}

/** In the order of the digests. @throws repository_unknown */
export async function describeImagePage(
  context: RegistryContext,
  address: RepositoryAddress,
  page: ImageFilter & { after: string; limit: number },
): Promise<{ images: DescribedImage[]; next: string | undefined }> {
  const db = context.metadata.read;
  const { id } = await requireRepository(db, address);
  const rows = await selectImages(db, id, { ...page, limit: page.limit + 1 });
  const images = await describe(db, id, rows.slice(0, page.limit));
  return { images, next: rows.length > page.limit ? images.at(-1)?.digest : undefined };
}

/** Those among the digests that are there. @throws repository_unknown */
export async function describeImagesByDigest(
  context: RegistryContext,
  address: RepositoryAddress,
  digests: readonly string[],
): Promise<Map<string, DescribedImage>> {
  const db = context.metadata.read;
  const { id } = await requireRepository(db, address);
  const images = await describe(db, id, await selectImagesByDigest(db, id, digests));
  return new Map(images.map((image) => [image.digest, image]));
}

async function describe(
  db: Queryable,
  repositoryId: number,
  rows: readonly ImageRow[],
): Promise<DescribedImage[]> {
  const digests = rows.map(({ digest }) => digest);
  const indexes = rows.filter(({ media_type }) => isIndexType(media_type));
  const children = await selectChildren(
    db,
    repositoryId,
    indexes.map(({ digest }) => digest),
  );
  const [tags, bytes] = await Promise.all([
    selectTagsOfDigests(db, repositoryId, digests),
    selectContentBytes(db, repositoryId, [
      ...new Set([...digests, ...children.map(({ digest }) => digest)]),
    ]),
  ]);
  const largest = new Map<string, number>();
  for (const { manifest, digest } of children) {
    largest.set(manifest, Math.max(largest.get(manifest) ?? 0, bytes.get(digest) ?? 0));
  }
  return rows.map((row) => ({
    ...row,
    tags: tags.get(row.digest) ?? [],
    contentBytes: largest.get(row.digest) ?? bytes.get(row.digest) ?? 0,
  }));
}
