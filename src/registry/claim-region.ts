/**
 * A database belongs to one region for ever: its name is in the versions of tags, so the same
 * content under another name would be ordered wrongly.
 */
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { selectSetting, upsertSetting } from "../metadata/queries/settings.ts";

/** Of no account: it is the region's. */
const everyAccount = "";

export class RegionMismatchError extends Error {
  override readonly name = "RegionMismatchError";
}

/** @throws {RegionMismatchError} when the database is another region's */
export async function claimRegion(
  metadata: MetadataStore,
  region: string,
  now: number,
): Promise<void> {
  const owner = await metadata.transaction(async (tx) => {
    const known = await selectSetting(tx, everyAccount, "region");
    if (known !== undefined) return known;
    await upsertSetting(tx, everyAccount, "region", region, now);
    return region;
  });
  if (owner !== region) {
    throw new RegionMismatchError(
      `the database belongs to the region ${owner}, not to ${region}: correct the region's name, or use another data directory or database`,
    );
  }
}
