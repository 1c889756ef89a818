/**
 * Bundles the console into one file, `console/dist/console.archive`: what the server gives out and
 * `npm run build` puts into the executable. Nothing happens when it is there already and nothing
 * that it was made from has changed.
 *
 *     bun console/build.ts          quickly, for development
 *     bun console/build.ts --small  compressed as far as it goes, for a release
 *     bun console/build.ts --out F  into another file
 */
import { mkdir, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Glob } from "bun";
import { type ArchiveFile, packArchive, readArchive } from "../src/console/archive.ts";

const root = join(import.meta.dir, "..");
const { values } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    out: { type: "string", default: join(import.meta.dir, "dist", "console.archive") },
  },
});
const { small, out: archivePath } = values;

/** The names and contents of everything that goes in, and how far it is compressed. */
async function sourceHash(): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  const inputs = ["package-lock.json", "src/console/archive.ts"];
  inputs.push("src/console/api-types.ts");
  for (const pattern of ["console/src/**/*", "console/*.{ts,json}"]) {
    for await (const path of new Glob(pattern).scan({ cwd: root })) inputs.push(path);
  }
  for (const path of inputs.sort()) {
    hasher.update(`\0${path}\0`);
    hasher.update(await Bun.file(join(root, path)).bytes());
  }
  return hasher.update(small ? "small" : "quick").digest("hex");
}

async function isCurrent(hash: string): Promise<boolean> {
  const file = Bun.file(archivePath);
  if (!(await file.exists())) return false;
  try {
    return (await readArchive(file)).sourceHash === hash;
  } catch {
    // Damaged, or of another version: it is made anew.
    return false;
  }
}

function isCompressible(path: string): boolean {
  return /\.(?:js|css|html|svg)$/.test(path);
}

function brotli(bytes: Uint8Array): Uint8Array {
  const quality = small ? constants.BROTLI_MAX_QUALITY : 5;
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
    },
  });
}

async function build(hash: string): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(import.meta.dir, "src", "index.html")],
    target: "browser",
    splitting: true,
    minify: true,
    publicPath: "/console/",
    define: { "process.env.NODE_ENV": '"production"' },
    naming: {
      entry: "assets/[name]-[hash].[ext]",
      chunk: "assets/[name]-[hash].[ext]",
      asset: "assets/[name]-[hash].[ext]",
    },
  });
  const files: ArchiveFile[] = [];
  const page = result.outputs.find(({ path }) => path.endsWith(".html"));
  const html = (await page?.text()) ?? "";
  for (const output of result.outputs) {
    const name = basename(output.path);
    // The bundler also writes the styles of each chunk apart, and refers to those of all alone.
    if (name.endsWith(".css") && !html.includes(name)) continue;
    const path = name.endsWith(".html") ? "index.html" : `assets/${name}`;
    const identity = new Uint8Array(await output.arrayBuffer());
    files.push({
      path,
      type: output.type,
      encodings: isCompressible(path)
        ? { identity, gzip: gzipSync(identity, { level: 9 }), br: brotli(identity) }
        : { identity },
    });
  }
  await mkdir(join(archivePath, ".."), { recursive: true });
  // Several regions of a machine may build at once: each puts a whole file in place.
  const temporary = `${archivePath}.${process.pid}`;
  await Bun.write(temporary, packArchive({ sourceHash: hash, files }));
  await rename(temporary, archivePath);
}

const hash = await sourceHash();
if (!(await isCurrent(hash))) await build(hash);
