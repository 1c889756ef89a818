/** Finds images by a piece of a tag, in the order of their pushes. */
import {
  countImages,
  type ImageSearch,
  type SearchCursor,
  searchImages as selectImages,
} from "../metadata/queries/search.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";
import { type DescribedImage, describeImagesByDigest } from "./describe-images.ts";

export interface ImageSearchPage {
  readonly images: readonly DescribedImage[];
  /** On all pages. */
  readonly count: number;
  readonly next: SearchCursor | undefined;
}

/** @throws repository_unknown */
export async function searchImages(
  context: RegistryContext,
  address: RepositoryAddress,
  search: ImageSearch,
  page: { readonly after: SearchCursor | undefined; readonly limit: number },
): Promise<ImageSearchPage> {
  const db = context.metadata.read;
  const { id } = await requireRepository(db, address);
  const rows = await selectImages(db, id, search, { ...page, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const digests = shown.map(({ digest }) => digest);
  const described = await describeImagesByDigest(context, address, digests);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return {
    // One that was deleted meanwhile is left out.
    images: digests.flatMap((digest) => described.get(digest) ?? []),
    count: await countImages(db, id, search),
    next: last && { value: last.pushed_at, name: last.digest },
  };
}
