/**
 * Reads and writes tar archives in the POSIX ustar form, as layers of images use them. The same
 * entries always give the same bytes: owners are root, times are fixed.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_92_13_06
 */

export type TarEntry =
  | { readonly type: "directory"; readonly path: string; readonly mode: number }
  | { readonly type: "symlink"; readonly path: string; readonly target: string }
  | {
      readonly type: "file";
      readonly path: string;
      readonly mode: number;
      readonly bytes: Uint8Array;
    };

export class TarFormatError extends Error {
  override readonly name = "TarFormatError";
}

const blockBytes = 512;
/** 1980-01-01, the first date that every archive format can express. */
const modifiedSeconds = 315_532_800;
const typeFlags = { file: "0", symlink: "2", directory: "5" } as const;

/** Field name, offset and length in the header block. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  owner: [108, 8],
  group: [116, 8],
  size: [124, 12],
  modified: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  target: [157, 100],
  magic: [257, 8],
  ownerName: [265, 32],
  groupName: [297, 32],
  prefix: [345, 155],
} as const;

/** @throws TarFormatError when a path does not fit the format or a file is 8 GiB or larger */
export function writeTar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  const sizes = entries.map((entry) => (entry.type === "file" ? entry.bytes.length : 0));
  const total = sizes.reduce((sum, size) => sum + blockBytes + wholeBlocks(size), 2 * blockBytes);
  const archive = new Uint8Array(total);
  let offset = 0;
  for (const entry of entries) {
    archive.set(headerBlock(entry), offset);
    offset += blockBytes;
    if (entry.type === "file") {
      archive.set(entry.bytes, offset);
      offset += wholeBlocks(entry.bytes.length);
    }
  }
  return archive;
}

const wholeBlocks = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes;

function headerBlock(entry: TarEntry): Uint8Array {
  const block = new Uint8Array(blockBytes);
  const text = ([offset, length]: readonly [number, number], value: string) => {
    const bytes = new TextEncoder().encode(value);
    if (bytes.length > length) throw new TarFormatError(`'${value}' is longer than ${length}`);
    block.set(bytes, offset);
  };
  const octal = (field: readonly [number, number], value: number) => {
    const digits = value.toString(8).padStart(field[1] - 1, "0");
    if (digits.length >= field[1]) throw new TarFormatError(`${value} does not fit the header`);
    text(field, digits);
  };
  const { prefix, name } = splitPath(entry.type === "directory" ? `${entry.path}/` : entry.path);
  text(fields.name, name);
  text(fields.prefix, prefix);
  octal(fields.mode, entry.type === "symlink" ? 0o777 : entry.mode);
  octal(fields.owner, 0);
  octal(fields.group, 0);
  octal(fields.size, entry.type === "file" ? entry.bytes.length : 0);
  octal(fields.modified, modifiedSeconds);
  text(fields.type, typeFlags[entry.type]);
  if (entry.type === "symlink") text(fields.target, entry.target);
  text(fields.magic, "ustar\x0000");
  text(fields.ownerName, "root");
  text(fields.groupName, "root");
  text(fields.checksum, `${checksum(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** The sum of all bytes of the header, its own field taken as spaces. */
function checksum(block: Uint8Array): number {
  const [start, length] = fields.checksum;
  let sum = 0;
  for (const [index, byte] of block.entries()) {
    sum += index >= start && index < start + length ? 0x20 : byte;
  }
  return sum;
}

function splitPath(path: string): { prefix: string; name: string } {
  if (path.length <= fields.name[1]) return { prefix: "", name: path };
  const slash = path.indexOf("/", path.length - fields.name[1] - 1);
  if (slash <= 0 || slash > fields.prefix[1] || slash === path.length - 1) {
    throw new TarFormatError(`the path '${path}' is too long for the ustar form`);
  }
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/**
 * The entries of an archive; the bytes of files are views into it.
 * @throws TarFormatError for damage, and for kinds of entries that are not written here
 */
export function* readTar(archive: Uint8Array): Generator<TarEntry> {
  let offset = 0;
  while (offset + blockBytes <= archive.length) {
    const block = archive.subarray(offset, offset + blockBytes);
    offset += blockBytes;
    if (block.every((byte) => byte === 0)) return;
    const text = ([start, length]: readonly [number, number]) => {
      const end = block.indexOf(0, start);
      const stop = end < 0 || end > start + length ? start + length : end;
      return new TextDecoder().decode(block.subarray(start, stop)).trim();
    };
    const octal = (field: readonly [number, number]) => {
      const digits = text(field);
      if (!/^[0-7]+$/.test(digits)) throw new TarFormatError(`'${digits}' is no octal number`);
      return Number.parseInt(digits, 8);
    };
    if (octal(fields.checksum) !== checksum(block)) {
      throw new TarFormatError(`the header at byte ${offset - blockBytes} is damaged`);
    }
    const prefix = text(fields.prefix);
    const path = `${prefix === "" ? "" : `${prefix}/`}${text(fields.name)}`.replace(/\/$/, "");
    const type = text(fields.type);
    const size = octal(fields.size);
    if (offset + size > archive.length) throw new TarFormatError(`'${path}' is cut off`);
    const mode = octal(fields.mode);
    const bytes = archive.subarray(offset, offset + size);
    offset += wholeBlocks(size);
    if (type === typeFlags.file) yield { type: "file", path, mode, bytes };
    else if (type === typeFlags.directory) yield { type: "directory", path, mode };
    else if (type === typeFlags.symlink)
      yield { type: "symlink", path, target: text(fields.target) };
    else throw new TarFormatError(`'${path}' is of kind '${type}', which is not read here`);
  }
  throw new TarFormatError("the archive has no end");
}
