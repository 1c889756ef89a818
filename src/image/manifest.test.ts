import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import {
  ManifestSyntaxError,
  manifestNestingLimit,
  manifestReferencesLimit,
  type ParsedManifest,
  parseManifest,
} from "./manifest.ts";
import { mediaTypes } from "./media-type.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const encode = (text: string) => new TextEncoder().encode(text);
const parse = (value: unknown, contentType?: string): ParsedManifest =>
  parseManifest(encode(JSON.stringify(value)), contentType);
const digest = (character: string) => `sha256:${character.repeat(64)}`;
const descriptor = (character: string, fields: object = {}) => ({
  mediaType: "application/octet-stream",
  digest: digest(character),
  size: 1,
  ...fields,
});
const image = (fields: object = {}) => ({
  schemaVersion: 2,
  config: descriptor("c"),
  layers: [descriptor("1")],
  ...fields,
});
const index = (fields: object = {}) => ({ schemaVersion: 2, manifests: [], ...fields });

function refusal(bytes: Uint8Array, contentType?: string): string {
  try {
    parseManifest(bytes, contentType);
  } catch (error) {
    if (error instanceof ManifestSyntaxError) return error.message;
    throw error;
  }
  return "accepted";
}
const refusalOf = (value: unknown, contentType: string = mediaTypes.ociManifest) =>
  refusal(encode(JSON.stringify(value)), contentType);

describe("the media type", () => {
  test("is the Content-Type, with and without a mediaType that agrees", () => {
    expect(parse(image(), mediaTypes.ociManifest).mediaType).toBe(mediaTypes.ociManifest);
    const declared = image({ mediaType: mediaTypes.dockerManifest });
    expect(parse(declared, mediaTypes.dockerManifest).mediaType).toBe(mediaTypes.dockerManifest);
  });

  test("is refused when the two differ", () => {
    expect(refusalOf(image({ mediaType: mediaTypes.dockerManifest }))).toContain("differs");
  });

  test.each([undefined, "", "application/json"])("is found without a Content-Type: %p", (type) => {
    expect(parse(image({ mediaType: mediaTypes.dockerManifest }), type).mediaType).toBe(
      mediaTypes.dockerManifest,
    );
    expect(parse(image(), type).mediaType).toBe(mediaTypes.ociManifest);
    expect(parse(index(), type).mediaType).toBe(mediaTypes.ociIndex);
    expect(() => parse({ schemaVersion: 2 }, type)).toThrow("media type is missing");
  });

  // It becomes a header of every pull.
  test.each(["a\r\nX-Injected: yes", "a\0b", "ä", "a b", "", "a".repeat(256), "\ud800"])(
    "%p is malformed",
    (mediaType) => {
      expect(refusalOf({ ...image(), mediaType }, "")).toBe("mediaType is malformed");
    },
  );

  test.each([
    [mediaTypes.dockerSchema1, { schemaVersion: 1, fsLayers: [] }],
    [mediaTypes.dockerSchema1Signed, { schemaVersion: 1, fsLayers: [] }],
    ["application/json", { schemaVersion: 1, fsLayers: [], mediaType: mediaTypes.ociManifest }],
  ])("schema 1 as %s is refused with advice", (type, value) => {
    expect(refusalOf(value, type)).toContain("schema 1 is not supported: push the image again");
  });
});

describe("the bytes", () => {
  test.each([
    ["nothing", ""],
    ["text", "hello"],
    ["half", '{"schemaVersion":2'],
    ["two values", "{}{}"],
    ["a list", "[]"],
    ["null", "null"],
    ["a number", "1"],
    ["a string", '"{}"'],
    ["a comment", "{/**/}"],
    ["a trailing comma", '{"a":1,}'],
    ["single quotes", "{'a':1}"],
    ["NaN", '{"a":NaN}'],
    ["a raw newline in a string", '{"a":"\n"}'],
    ["a NUL behind", "{}\0"],
  ])("%s is no manifest", (_what, text) => {
    expect(refusal(encode(text), mediaTypes.ociManifest)).toMatch(/not (valid JSON|a JSON object)/);
  });

  test.each([
    ["a byte order mark", [0xef, 0xbb, 0xbf]],
    ["a byte order mark of UTF-16", [0xff, 0xfe]],
  ])("%s in front is refused: no client could read it", (_what, mark) => {
    const bytes = Buffer.concat([Buffer.from(mark), encode(JSON.stringify(image()))]);
    expect(refusal(bytes, mediaTypes.ociManifest)).toContain("not valid JSON in UTF-8");
  });

  test.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["beyond Unicode", [0xf5, 0x80, 0x80, 0x80]],
    ["cut off", [0xe2, 0x82]],
  ])("invalid UTF-8 (%s) is refused", (_what, invalid) => {
    const bytes = Buffer.concat([
      encode('{"schemaVersion":2,"annotations":{"a":"'),
      Buffer.from(invalid),
      encode('"}}'),
    ]);
    expect(refusal(bytes, mediaTypes.ociManifest)).toContain("not valid JSON in UTF-8");
  });

  const nested = (depth: number, open: string, close: string) =>
    encode(
      JSON.stringify(image({ x: "here", y: '[[{{"\\' })).replace(
        '"here"',
        () => `${open.repeat(depth)}1${close.repeat(depth)}`,
      ),
    );

  test.each([
    ["lists", "[", "]"],
    ["objects", '{"a":', "}"],
    ["objects with brackets in their names", '{"\\"}]":', "}"],
  ])("nested %s are taken to the limit and refused beyond", (_what, open, close) => {
    // The manifest itself is the first level.
    const deepest = manifestNestingLimit - 1;
    expect(refusal(nested(deepest, open, close), mediaTypes.ociManifest)).toBe("accepted");
    for (const depth of [deepest + 1, 100_000]) {
      expect(refusal(nested(depth, open, close), mediaTypes.ociManifest)).toBe(
        `nested more than ${manifestNestingLimit} levels deep`,
      );
    }
  });

  test("4 MiB of brackets are refused without being parsed", () => {
    for (const open of ["[", '{"a":']) {
      const bytes = encode(open.repeat((4 * 1024 * 1024) / open.length));
      expect(refusal(bytes, mediaTypes.ociManifest)).toContain("levels deep");
    }
  });

  test("brackets in strings are no levels", () => {
    const brackets = '[{"\\'.repeat(5000);
    expect(refusalOf(image({ annotations: { [brackets]: brackets } }))).toBe("accepted");
  });

  test("__proto__ is a name like any other", () => {
    const text = '{"schemaVersion":2,"__proto__":{"config":{}},"constructor":{"prototype":{}}}';
    expect(refusal(encode(text), mediaTypes.ociManifest)).toBe("config must be a descriptor");
    const { annotations } = parseManifest(
      encode('{"schemaVersion":2,"manifests":[],"annotations":{"__proto__":"x"}}'),
      mediaTypes.ociIndex,
    );
    expect(JSON.stringify(annotations)).toBe('{"__proto__":"x"}');
    expect(Object.prototype).not.toHaveProperty("config");
  });

  test("any bytes are either taken or refused with a reason", () => {
    const types = fc.constantFrom(undefined, ...Object.values(mediaTypes), "a/b");
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json({ maxDepth: 4 }).map(encode),
      fc
        .jsonValue({ maxDepth: 4 })
        .map((value) => encode(JSON.stringify(image({ config: value })))),
    );
    fc.assert(
      fc.property(bytes, types, (value, type) => {
        expect(refusal(value, type)).not.toBe("");
      }),
    );
  });
});

describe("references", () => {
  test("of an image: config and layers, each once", () => {
    const { references } = parse(
      image({ layers: [descriptor("1"), descriptor("2"), descriptor("1")] }),
      mediaTypes.ociManifest,
    );
    expect(references.map(({ role, digest }) => `${role} ${digest.at(-1)}`)).toEqual([
      "config c",
      "layer 1",
      "layer 2",
    ]);
    expect(references.every(({ required }) => required)).toBe(true);
  });

  test("of an index: its children, whatever their type", () => {
    const manifests = [
      descriptor("1", { mediaType: mediaTypes.ociManifest }),
      descriptor("2", { mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }),
      descriptor("3", { platform: { os: "unknown", architecture: "unknown" } }),
    ];
    const { references } = parse(index({ manifests }), mediaTypes.ociIndex);
    expect(references.map(({ role }) => role)).toEqual(["manifest", "manifest", "manifest"]);
  });

  test("of the artifact manifest of 1.1-rc: its blobs", () => {
    const { references } = parse(
      { blobs: [descriptor("1")], artifactType: "a/b" },
      mediaTypes.ociArtifact,
    );
    expect(references.map(({ digest }) => digest)).toEqual([digest("1")]);
  });

  test("foreign layers are not required", () => {
    const layers = [
      descriptor("1", { urls: ["https://example.test/layer"] }),
      descriptor("2", { mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }),
      descriptor("3", { urls: [] }),
    ];
    const { references } = parse(image({ layers }), mediaTypes.ociManifest);
    expect(references.map(({ required }) => required)).toEqual([true, false, false, true]);
  });

  test("of an unknown type are kept as far as they look like some, and none is required", () => {
    const value = {
      config: descriptor("c"),
      layers: [descriptor("1"), "layer", { digest: "x" }, descriptor("2", { size: -1 })],
      blobs: [descriptor("3")],
      manifests: [descriptor("4")],
      subject: descriptor("5"),
    };
    const { references, subject } = parse(value, "application/vnd.example.thing+json");
    expect(references.map(({ role, digest }) => `${role} ${digest.at(-1)}`)).toEqual([
      "config c",
      "layer 1",
      "layer 3",
      "manifest 4",
    ]);
    expect(references.some(({ required }) => required)).toBe(false);
    expect(subject as string).toBe(digest("5"));
    expect(parse({ layers: "none", config: 7 }, "application/x").references).toEqual([]);
  });

  test.each([
    ["digest", undefined],
    ["digest", 5],
    ["digest", "sha256:short"],
    ["digest", `sha256:${"A".repeat(64)}`],
    ["digest", "../../etc/passwd"],
    ["digest", `blake3:${"a".repeat(600)}`],
    ["size", undefined],
    ["size", -1],
    ["size", 1.5],
    ["size", "1"],
    ["size", null],
    ["size", 2 ** 53],
    ["mediaType", undefined],
    ["mediaType", 5],
    ["mediaType", "a\0"],
    ["mediaType", "a\n"],
    ["mediaType", "a".repeat(256)],
  ])("a layer whose %s is %p is refused by name", (field, value) => {
    const layers = [descriptor("1"), descriptor("2", { [field]: value })];
    expect(refusalOf(image({ layers }))).toStartWith(`layers[1].${field} `);
    const manifests = layers;
    expect(refusalOf(index({ manifests }), mediaTypes.ociIndex)).toStartWith(
      `manifests[1].${field} `,
    );
  });

  test("a well-formed digest of an unknown algorithm is a reference that nothing here can meet", () => {
    const layers = [descriptor("1", { digest: `blake3:${"a".repeat(64)}` })];
    expect(parse(image({ layers }), mediaTypes.ociManifest).references[1]?.required).toBe(true);
  });

  test.each([
    ["layers must be a list", { layers: {} }],
    ["layers[0] must be a descriptor", { layers: [null] }],
    ["layers[0] must be a descriptor", { layers: [[]] }],
    ["config must be a descriptor", { config: null }],
    ["config must be a descriptor", { config: undefined }],
    ["must not have manifests", { manifests: [] }],
    ["schemaVersion must be 2", { schemaVersion: 3 }],
    ["schemaVersion must be 2", { schemaVersion: "2" }],
    ["annotations must be an object", { annotations: [] }],
    ["annotations must be strings", { annotations: { a: 1 } }],
    ["artifactType must be a string", { artifactType: 1 }],
    ["artifactType is not a media type", { artifactType: "a\0" }],
    ["subject must be a descriptor", { subject: "sha256:x" }],
    ["subject.digest is not a digest", { subject: descriptor("1", { digest: "x" }) }],
    ["subject.digest is not supported", { subject: descriptor("1", { digest: "blake3:aa" }) }],
  ])("an image is refused: %s", (reason, fields) => {
    expect(refusalOf(image(fields))).toContain(reason);
  });

  test.each([
    ["config", { config: descriptor("c") }],
    ["layers", { layers: [] }],
  ])("an index with %s is refused", (_what, fields) => {
    expect(refusalOf(index(fields), mediaTypes.ociIndex)).toContain(
      "an index must not have config or layers",
    );
  });

  test("more descriptors than the limit are refused, repetitions do not count", () => {
    const many = (count: number, distinct: number) =>
      Array.from({ length: count }, (_, i) => ({
        mediaType: "a",
        digest: `sha256:${String(i % distinct).padStart(64, "0")}`,
        size: 1,
      }));
    const limit = manifestReferencesLimit;
    expect(refusalOf(index({ manifests: many(limit, limit) }), mediaTypes.ociIndex)).toBe(
      "accepted",
    );
    expect(refusalOf(index({ manifests: many(limit + 1, limit + 1) }), mediaTypes.ociIndex)).toBe(
      `more than ${limit} descriptors`,
    );
    expect(refusalOf(index({ manifests: many(30_000, 10) }), mediaTypes.ociIndex)).toBe("accepted");
  });
});

describe("artifactType", () => {
  const config = descriptor("c", { mediaType: "application/vnd.example.config" });
  test("is the manifest's, else its config's media type", () => {
    const { ociManifest } = mediaTypes;
    expect(parse(image({ config }), ociManifest).artifactType).toBe(config.mediaType);
    expect(parse(image({ config, artifactType: "a/b" }), ociManifest).artifactType).toBe("a/b");
    expect(parse(image({ config, artifactType: "" }), ociManifest).artifactType).toBe(
      config.mediaType,
    );
  });

  test("of an index is only its own", () => {
    expect(parse(index(), mediaTypes.ociIndex).artifactType).toBeUndefined();
    expect(parse(index({ artifactType: "a/b" }), mediaTypes.ociIndex).artifactType).toBe("a/b");
  });
});
