/** Reads an image from an OCI layout on disk, to compare it with what a registry holds. */
import { join } from "node:path";
import {
  type Digest,
  digestAlgorithm,
  digestEncoded,
  digestOf,
  parseDigest,
} from "../../src/image/digest.ts";
import { parseManifest } from "../../src/image/manifest.ts";

export interface LayoutImage {
  readonly digest: Digest;
  readonly mediaType: string;
  /** All manifests and blobs, the root first. */
  readonly digests: readonly Digest[];
}

interface LayoutIndex {
  readonly manifests: readonly {
    readonly digest: Digest;
    readonly mediaType: string;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

/** @param name as skopeo writes it: `oci:DIRECTORY:TAG` */
export async function readLayoutImage(name: string): Promise<LayoutImage> {
  const [, directory, tag] = /^oci:(.+):([^:/]+)$/.exec(name) ?? [];
  if (directory === undefined) throw new Error(`'${name}' is not oci:DIRECTORY:TAG`);
  const index = (await Bun.file(join(directory, "index.json")).json()) as LayoutIndex;
  const root = index.manifests.find(
    ({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] === tag,
  );
  if (root === undefined) throw new Error(`'${directory}' has no image '${tag}'`);
  const digests = new Set<Digest>();
  const visit = async (digest: Digest, mediaType: string) => {
    const path = join(directory, "blobs", digestAlgorithm(digest), digestEncoded(digest));
    const bytes = await Bun.file(path).bytes();
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) throw new Error(`${path} is damaged`);
    digests.add(digest);
    for (const reference of parseManifest(bytes, mediaType).references) {
      const child = parseDigest(reference.digest);
      if (child === undefined || digests.has(child)) continue;
      if (reference.role === "manifest") await visit(child, reference.mediaType);
      else digests.add(child);
    }
  };
  await visit(root.digest, root.mediaType);
  return { digest: root.digest, mediaType: root.mediaType, digests: [...digests] };
}
