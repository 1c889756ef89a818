/** What a tag points at in this region, for destinations that know no versions. */
import { parseDigest } from "../../image/digest.ts";
import type { Queryable } from "../../metadata/metadata-store.ts";
import { selectManifestByTag } from "../../metadata/queries/manifests.ts";
import type { CurrentTag } from "./manifest-puts.ts";

export function registryTag(db: Queryable): CurrentTag {
  return async (account, repository, tag) => {
    const manifest = await selectManifestByTag(db, account, repository, tag);
    return manifest && parseDigest(manifest.digest);
  };
}
