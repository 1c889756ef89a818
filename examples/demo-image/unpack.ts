/**
 * Unpacks an image into a directory, as a container engine does before it starts a program. Owners
 * stay those of the caller, and whiteouts do not occur: the demo image deletes nothing.
 */
import { chmod, mkdir, realpath, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Digest } from "../../src/image/digest.ts";
import type { Descriptor } from "../registry-client/content.ts";
import type { ImageLayout } from "../registry-client/image-layout.ts";
import type { Architecture } from "./static-program.ts";
import { readTar, type TarEntry } from "./tar.ts";

/**
 * @param root the digest of the index
 * @returns the entrypoint's path in the unpacked directory
 */
export async function unpackImage(
  layout: ImageLayout,
  root: Digest,
  architecture: Architecture,
  directory: string,
): Promise<string> {
  const readJson = (digest: Digest) => Bun.file(layout.blobPath(digest)).json();
  const index: { manifests: Descriptor[] } = await readJson(root);
  const child = index.manifests.find((one) => one.platform?.architecture === architecture);
  if (child === undefined) throw new Error(`the image has no platform linux/${architecture}`);
  const manifest: { config: Descriptor; layers: Descriptor[] } = await readJson(child.digest);
  const config: { config: { Entrypoint: string[] } } = await readJson(manifest.config.digest);

  await mkdir(directory, { recursive: true });
  const realDirectory = await realpath(directory);
  for (const layer of manifest.layers) {
    const compressed = await Bun.file(layout.blobPath(layer.digest)).bytes();
    for (const entry of readTar(Bun.gunzipSync(compressed, { library: "libdeflate" }))) {
      await unpackEntry(entry, realDirectory);
    }
  }
  const entrypoint = config.config.Entrypoint[0];
  if (entrypoint === undefined) throw new Error("the image has no entrypoint");
  return join(realDirectory, entrypoint);
}

async function unpackEntry(entry: TarEntry, root: string): Promise<void> {
  const parts = entry.path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new Error(`the path '${entry.path}' leads out of the image`);
  }
  // A link of an earlier layer must not lead a later one out of the directory.
  const parent = await realpath(join(root, dirname(entry.path)));
  if (parent !== root && !parent.startsWith(`${root}/`)) {
    throw new Error(`the path '${entry.path}' leads out of the image`);
  }
  const path = join(parent, basename(entry.path));
  if (entry.type === "directory") {
    await mkdir(path, { recursive: true });
    await chmod(path, entry.mode);
    return;
  }
  await rm(path, { force: true });
  if (entry.type === "symlink") {
    await symlink(entry.target, path);
    return;
  }
  await Bun.write(path, entry.bytes);
  await chmod(path, entry.mode);
}
