/**
 * Builds a real container image from nothing but this checkout: an index for linux/amd64 and
 * linux/arm64 with a root file system that any container engine runs.
 *
 * Its layers, those that change least first, so that a new version sends only the last:
 *   system     /etc/os-release, /etc/passwd and the usual directories, shared by both
 *   documents  /usr/share/doc/portolan, shared by both
 *   runtime    the Bun executable with its shared libraries, for the architecture at hand
 *   program    the entrypoint, a static executable, one per architecture
 *
 * The same input gives the same bytes. The clock is read only for `created` in the configuration.
 */
import type { Digest } from "../../src/image/digest.ts";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import {
  type Content,
  content,
  descriptorOf,
  type ImageContent,
  jsonContent,
  type Platform,
} from "../registry-client/content.ts";
import { type Architecture, staticProgram } from "./static-program.ts";
import { type TarEntry, writeTar } from "./tar.ts";

const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";
const programPath = "usr/local/bin/greet";
const documentsPath = "usr/share/doc/portolan";

export interface DemoImageInput {
  /** Without a leading `v`, such as `1.0.0`. */
  readonly version: string;
  readonly clock: Clock;
  /** From `demoImageBase`: built once, used by every version. */
  readonly base: DemoImageBase;
}

/** The layers that the versions of the image share. */
export interface DemoImageBase {
  readonly system: DemoImageLayer;
  readonly documents: DemoImageLayer;
  readonly runtime: DemoImageLayer | undefined;
}

/** A file below the documents' directory. */
export interface DocumentFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** An executable and what it needs, with absolute paths inside the image. */
export interface RuntimeFiles {
  readonly architecture: Architecture;
  readonly entries: readonly TarEntry[];
}

export interface DemoImageLayer {
  readonly name: "system" | "runtime" | "documents" | "program";
  readonly architectures: readonly Architecture[];
  readonly content: Content;
  /** Digest of the archive before compression. */
  readonly differenceDigest: Digest;
  readonly uncompressedBytes: number;
}

export interface DemoImage extends ImageContent {
  readonly layers: readonly DemoImageLayer[];
  /** What the entrypoint writes to its standard output. */
  readonly greetings: ReadonlyMap<Architecture, string>;
}

const platforms: Record<Architecture, Platform> = {
  amd64: { os: "linux", architecture: "amd64" },
  arm64: { os: "linux", architecture: "arm64", variant: "v8" },
};
const architectures: readonly Architecture[] = ["amd64", "arm64"];

/** @param runtime undefined where this machine cannot give files that run on Linux */
export function demoImageBase(
  documents: readonly DocumentFile[],
  runtime: RuntimeFiles | undefined,
): DemoImageBase {
  return {
    system: layer("system", architectures, systemEntries()),
    documents: layer("documents", architectures, documentEntries(documents)),
    runtime: runtime && layer("runtime", [runtime.architecture], withParents(runtime.entries)),
  };
}

export function buildDemoImage({ version, clock, base }: DemoImageInput): DemoImage {
  const created = new Date(clock.now()).toISOString();
  const images = architectures.map((architecture) => {
    const greeting = `Ahoy from portolan/demo ${version} on linux/${architecture}: one push, every region.\n`;
    const layers = [
      base.system,
      base.documents,
      ...(base.runtime?.architectures.includes(architecture) ? [base.runtime] : []),
      layer("program", [architecture], programEntries(architecture, greeting)),
    ];
    const config = jsonContent(configType, {
      created,
      author: "Portolan",
      ...platforms[architecture],
      config: {
        User: "portolan",
        Env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
        Entrypoint: [`/${programPath}`],
        WorkingDir: "/",
        Labels: labels(version),
      },
      rootfs: { type: "layers", diff_ids: layers.map((one) => one.differenceDigest) },
      history: layers.map((one) => ({ created, created_by: `portolan demo: ${one.name}` })),
    });
    const manifest = jsonContent(mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptorOf(config),
      layers: layers.map((one) => descriptorOf(one.content)),
    });
    return { architecture, greeting, layers, config, manifest };
  });
  const root = jsonContent(mediaTypes.ociIndex, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.map(({ architecture, manifest }) => ({
      ...descriptorOf(manifest),
      platform: platforms[architecture],
    })),
    annotations: labels(version),
  });
  const layers = [...new Set(images.flatMap((image) => image.layers))];
  return {
    layers,
    blobs: [...layers.map((one) => one.content), ...images.map((image) => image.config)],
    children: images.map((image) => image.manifest),
    root,
    greetings: new Map(images.map((image) => [image.architecture, image.greeting])),
  };
}

const labels = (version: string) => ({
  "org.opencontainers.image.title": "portolan/demo",
  "org.opencontainers.image.version": version,
  "org.opencontainers.image.licenses": "Apache-2.0",
});

function layer(
  name: DemoImageLayer["name"],
  ofArchitectures: readonly Architecture[],
  entries: readonly TarEntry[],
): DemoImageLayer {
  const archive = writeTar(entries);
  // Level 1 of libdeflate: half the size of the Bun executable in a second; level 6 takes twice
  // as long for 5 % less.
  const compressed = Bun.gzipSync(archive, { level: 1, library: "libdeflate" });
  return {
    name,
    architectures: ofArchitectures,
    content: content(layerType, compressed),
    differenceDigest: digestOf(archive),
    uncompressedBytes: archive.length,
  };
}

/** Puts each entry's directories before it, once. */
function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const result: TarEntry[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      if (seen.has(path)) continue;
      seen.add(path);
      result.push({ type: "directory", path, mode: 0o755 });
    }
    if (!seen.has(entry.path)) result.push(entry);
    seen.add(entry.path);
  }
  return result;
}

function systemEntries(): TarEntry[] {
  const file = (path: string, lines: readonly string[]): TarEntry => ({
    type: "file",
    path,
    mode: 0o644,
    bytes: new TextEncoder().encode(`${lines.join("\n")}\n`),
  });
  return [
    ...withParents([
      file("etc/os-release", [
        'NAME="Portolan demo image"',
        "ID=portolan-demo",
        'PRETTY_NAME="Portolan demo image"',
      ]),
      file("etc/passwd", [
        "root:x:0:0:root:/root:/usr/sbin/nologin",
        "portolan:x:65532:65532:portolan:/home/portolan:/usr/sbin/nologin",
      ]),
      file("etc/group", ["root:x:0:", "portolan:x:65532:"]),
      file("etc/nsswitch.conf", ["passwd: files", "group: files", "hosts: files dns"]),
    ]),
    { type: "directory", path: "home", mode: 0o755 },
    { type: "directory", path: "home/portolan", mode: 0o755 },
    { type: "directory", path: "proc", mode: 0o555 },
    { type: "directory", path: "root", mode: 0o700 },
    { type: "directory", path: "tmp", mode: 0o1777 },
  ];
}

function programEntries(architecture: Architecture, greeting: string): TarEntry[] {
  const bytes = staticProgram(architecture, greeting);
  return withParents([{ type: "file", path: programPath, mode: 0o755, bytes }]);
}

function documentEntries(documents: readonly DocumentFile[]): TarEntry[] {
  const sorted = [...documents].sort((a, b) => (a.path < b.path ? -1 : 1));
  return withParents(
    sorted.map(({ path, bytes }) => ({
      type: "file",
      path: `${documentsPath}/${path}`,
      mode: 0o644,
      bytes,
    })),
  );
}
