/**
 * The console's files in one: four bytes with the length of an index, the index as JSON, and the
 * bytes of all files in all their encodings, one after the other. Made by `console/build.ts`.
 */
import * as v from "valibot";

export type Encoding = "identity" | "gzip" | "br";

export interface ArchiveFile {
  /** Relative to `/console/`. */
  readonly path: string;
  /** Media type. */
  readonly type: string;
  readonly encodings: { readonly identity: Uint8Array } & {
    readonly [encoding in Exclude<Encoding, "identity">]?: Uint8Array;
  };
}

const range = v.object({ offset: v.number(), length: v.number() });
const indexSchema = v.object({
  /** Of everything that it was made from. */
  sourceHash: v.string(),
  files: v.array(
    v.object({
      path: v.string(),
      type: v.string(),
      encodings: v.object({
        identity: range,
        gzip: v.exactOptional(range),
        br: v.exactOptional(range),
      }),
    }),
  ),
});

type Index = v.InferOutput<typeof indexSchema>;

export interface Archive {
  readonly sourceHash: string;
  readonly files: ReadonlyMap<string, StoredFile>;
}

export interface StoredFile {
  readonly type: string;
  readonly encodings: { readonly identity: Blob } & {
    readonly [encoding in Exclude<Encoding, "identity">]?: Blob;
  };
}

const lengthBytes = 4;

export function packArchive(content: {
  readonly sourceHash: string;
  readonly files: readonly ArchiveFile[];
}): Blob {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const place = (bytes: Uint8Array) => {
    const at = { offset, length: bytes.byteLength };
    parts.push(bytes);
    offset += bytes.byteLength;
    return at;
  };
  const index: Index = {
    sourceHash: content.sourceHash,
    files: content.files.map(({ path, type, encodings: { identity, gzip, br } }) => ({
      path,
      type,
      encodings: {
        identity: place(identity),
        ...(gzip !== undefined && { gzip: place(gzip) }),
        ...(br !== undefined && { br: place(br) }),
      },
    })),
  };
  const head = new TextEncoder().encode(JSON.stringify(index));
  const length = new Uint8Array(lengthBytes);
  new DataView(length.buffer).setUint32(0, head.byteLength);
  return new Blob([length, head, ...parts.map((bytes) => new Uint8Array(bytes))]);
}

/** Reads the index alone. @throws when it is not an archive of this form */
export async function readArchive(archive: Blob): Promise<Archive> {
  const length = new DataView(await archive.slice(0, lengthBytes).arrayBuffer()).getUint32(0);
  const begin = lengthBytes + length;
  const json: unknown = JSON.parse(await archive.slice(lengthBytes, begin).text());
  const index = v.parse(indexSchema, json);
  const blob = ({ offset, length }: { offset: number; length: number }) =>
    archive.slice(begin + offset, begin + offset + length);
  return {
    sourceHash: index.sourceHash,
    files: new Map(
      index.files.map(({ path, type, encodings: { identity, gzip, br } }) => [
        path,
        {
          type,
          encodings: {
            identity: blob(identity),
            ...(gzip !== undefined && { gzip: blob(gzip) }),
            ...(br !== undefined && { br: blob(br) }),
          },
        },
      ]),
    ),
  };
}
