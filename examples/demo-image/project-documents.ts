/** The project's own documentation, as the demo image carries it. */
import { join } from "node:path";
import type { DocumentFile } from "./demo-image.ts";

/** @param root the directory of the checkout */
export async function projectDocuments(root: string): Promise<DocumentFile[]> {
  const found: string[] = [];
  for (const pattern of ["*.md", "LICENSE", "docs/**/*.md"]) {
    for await (const path of new Bun.Glob(pattern).scan({ cwd: root, onlyFiles: true })) {
      found.push(path);
    }
  }
  return Promise.all(
    found.sort().map(async (path) => ({ path, bytes: await Bun.file(join(root, path)).bytes() })),
  );
}
