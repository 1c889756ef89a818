/** Tags and untagged images of a repository, page by page, in the order of digests and tags. */
import { type ImageFilter, type ImageIdRow, selectImageIds } from "../metadata/queries/images.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";
import { requireRepository } from "./create-repository.ts";

/** @throws repository_unknown */
export async function listImages(
  context: RegistryContext,
  address: RepositoryAddress,
  page: ImageFilter & { after: { digest: string; tag: string }; limit: number },
): Promise<{ imageIds: ImageIdRow[]; more: boolean }> {
  const db = context.metadata.read;
  const { id } = await requireRepository(db, address);
  const rows = await selectImageIds(db, id, { ...page, limit: page.limit + 1 });
  return { imageIds: rows.slice(0, page.limit), more: rows.length > page.limit };
}
