/**
 * Real images for the clients, made on this machine from Debian's packages: no registry is needed
 * to get them. They are made once, in a minute, and kept in `PORTOLAN_TEST_IMAGES`
 * (`.cache/test-images` of the project unless set).
 *
 *     const images = await testImages();
 *     await runCommand(["skopeo", "copy", images.debianVersion1, `docker://${server.host}/app:1`]);
 *
 * Every image is an OCI layout, named as skopeo, buildah and podman name it: `oci:DIRECTORY:TAG`.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeImages } from "./make-images.ts";

export interface TestImages {
  readonly directory: string;
  /** Debian with apt, and openssl in a layer of its own. */
  readonly debianVersion1: string;
  /** The same base layer, an upgraded package layer with curl too, another command. */
  readonly debianVersion2: string;
  /** An index of two small images, for amd64 and arm64. */
  readonly multiArchitecture: string;
  /** The first version with its layers compressed with zstd. */
  readonly zstd: string;
  /** A small image whose layer is `zstd:chunked`, for partial pulls. */
  readonly zstdChunked: string;
  /** 45 layers on top of a small base. */
  readonly manyLayers: string;
}

/** What the images are made with, and how a Debian machine gets it. */
export const imageTools = ["mmdebstrap", "buildah", "skopeo"] as const;
export const imageToolsHint =
  "the images for the clients need mmdebstrap, buildah and skopeo (apt-get install mmdebstrap buildah skopeo)";

/** Raised when what is made changes, so that older images are made anew. */
const imagesVersion = 1;

export const repositoryRoot = join(import.meta.dir, "..", "..");

export function testImagesDirectory(): string {
  return process.env.PORTOLAN_TEST_IMAGES ?? join(repositoryRoot, ".cache", "test-images");
}

export function haveTestImages(): boolean {
  return existsSync(versionDirectory()) || imageTools.every((tool) => Bun.which(tool) !== null);
}

function versionDirectory(): string {
  return join(testImagesDirectory(), `v${imagesVersion}`);
}

/** Makes them when they are not there. */
export async function testImages(progress?: (line: string) => void): Promise<TestImages> {
  const directory = versionDirectory();
  if (!existsSync(directory)) {
    // Under a name of its own until all is there: a run that was cut off leaves nothing behind
    // that another would take for whole.
    const unfinished = `${directory}.${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    try {
      await makeImages(unfinished, progress ?? (() => {}));
      if (!existsSync(directory)) renameSync(unfinished, directory);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  const layout = (name: string) => `oci:${join(directory, name)}`;
  return {
    directory,
    debianVersion1: layout("debian:1"),
    debianVersion2: layout("debian:2"),
    multiArchitecture: layout("multi-architecture:1"),
    zstd: layout("zstd:1"),
    zstdChunked: layout("zstd-chunked:1"),
    manyLayers: layout("many-layers:1"),
  };
}
