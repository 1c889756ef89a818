/**
 * Finds what the Bun that runs this process needs to run elsewhere: its executable, the dynamic
 * loader that the executable names, and the shared libraries that the kernel says are mapped.
 */
import { readdir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { RuntimeFiles } from "./demo-image.ts";
import type { Architecture } from "./static-program.ts";
import type { TarEntry } from "./tar.ts";

const architectureNames: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: "amd64",
  arm64: "arm64",
};

/** Undefined on other systems than Linux on these architectures: their files do not run on Linux. */
export async function bunRuntimeFiles(
  executable: string,
  system: { readonly platform: NodeJS.Platform; readonly arch: NodeJS.Architecture },
): Promise<RuntimeFiles | undefined> {
  const architecture = architectureNames[system.arch];
  if (system.platform !== "linux" || architecture === undefined) return undefined;
  const executableBytes = await Bun.file(executable).bytes();
  const entries: TarEntry[] = [
    { type: "file", path: "usr/local/bin/bun", mode: 0o755, bytes: executableBytes },
  ];
  const paths = new Set<string>();
  const addFile = async (path: string, source: string) => {
    if (paths.has(path)) return;
    paths.add(path);
    const bytes = await Bun.file(source).bytes();
    entries.push({ type: "file", path: path.slice(1), mode: 0o755, bytes });
  };
  const loader = interpreterOf(executableBytes);
  if (loader !== undefined) await addFile(loader, await realpath(loader));
  for (const library of await mappedLibraries()) {
    await addFile(library, library);
    // A library is asked for by its short name, which may be a link to the versioned file.
    for (const link of await linksTo(library)) {
      if (paths.has(link)) continue;
      paths.add(link);
      entries.push({ type: "symlink", path: link.slice(1), target: basename(library) });
    }
  }
  return { architecture, entries };
}

/** Shared libraries of this process, as real paths, in a stable order. */
async function mappedLibraries(): Promise<string[]> {
  const maps = await Bun.file("/proc/self/maps").text();
  const paths = maps.split("\n").flatMap((line) => {
    const path = /^\S+ r-xp \S+ \S+ [1-9]\d*\s+(\/.+)$/.exec(line)?.[1];
    return path !== undefined && /\.so(?:\.|$)/.test(basename(path)) ? [path] : [];
  });
  return [...new Set(paths)].sort();
}

async function linksTo(library: string): Promise<string[]> {
  const directory = dirname(library);
  const links: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isSymbolicLink() || !entry.name.includes(".so.")) continue;
    const path = `${directory}/${entry.name}`;
    if (resolve(directory, await readlink(path)) === library) links.push(path);
  }
  return links.sort();
}

/**
 * The dynamic loader that an ELF executable of 64 bits asks for: its program header of type 3.
 * Undefined for a static executable.
 */
function interpreterOf(executable: Uint8Array): string | undefined {
  const view = new DataView(executable.buffer, executable.byteOffset, executable.byteLength);
  const headers = Number(view.getBigUint64(32, true));
  const headerBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const header = headers + index * headerBytes;
    if (view.getUint32(header, true) !== 3) continue;
    const offset = Number(view.getBigUint64(header + 8, true));
    const size = Number(view.getBigUint64(header + 32, true));
    return new TextDecoder().decode(executable.subarray(offset, offset + size - 1));
  }
  return undefined;
}
