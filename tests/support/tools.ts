/**
 * Programs that are neither in npm nor in Debian: looked up on `PATH` and in the directories of
 * `PORTOLAN_TOOLS`, which are separated as on `PATH`.
 */
import { delimiter, join } from "node:path";

const directories = (process.env.PORTOLAN_TOOLS ?? "").split(delimiter).filter(Boolean);

/** The program's path; undefined when it is not installed. */
export function findTool(name: string): string | undefined {
  for (const directory of directories) {
    const found = Bun.which(join(directory, name));
    if (found !== null) return found;
  }
  return Bun.which(name) ?? undefined;
}
