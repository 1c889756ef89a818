/** What is pulled is what was pushed, byte for byte, however odd its JSON. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { bodyOf, putManifest } from "../support/content.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const encode = (text: string) => new TextEncoder().encode(text);
const oddities: Record<string, string> = {
  "Windows line ends": '{\r\n  "schemaVersion": 2,\r\n  "manifests": []\r\n}\r\n',
  "a newline at the end": '{"schemaVersion":2,"manifests":[]}\n',
  "space around": ' \t\n{"schemaVersion":2,"manifests":[]}\n\n ',
  "tabs for indentation": '{\n\t"schemaVersion": 2,\n\t"manifests": []\n}',
  "duplicate keys": '{"schemaVersion":2,"manifests":[],"x":1,"x":2,"manifests":[]}',
  "integers beyond doubles":
    '{"schemaVersion":2,"manifests":[],"x":[9007199254740993,123456789012345678901234567890]}',
  "numbers in other forms": '{"schemaVersion":2.0,"manifests":[],"x":[1e400,-0,1.10,1E+2]}',
  "escapes in capitals and without need":
    '{"schemaVersion":2,"manifests":[],"x":"\\u00E9\\u00e9\\/\\u0041\\u2028"}',
  "half a surrogate pair": '{"schemaVersion":2,"manifests":[],"annotations":{"x":"\\ud800"}}',
  "a NUL in an annotation":
    '{"schemaVersion":2,"manifests":[],"annotations":{"x\\u0000":"\\u0000"}}',
  "raw characters of every plane": '{"schemaVersion":2,"manifests":[],"x":"é€𝄞\u2028\u007f"}',
  "decomposed characters": '{"schemaVersion":2,"manifests":[],"x":"e\u0301"}',
  "empty names and __proto__":
    '{"schemaVersion":2,"manifests":[],"":{"":0},"__proto__":{"a":1},"constructor":1}',
  "escaped names": '{"schema\\u0056ersion":2,"m\\u0061nifests":[]}',
  "null where a field may be absent": '{"schemaVersion":2,"manifests":null,"subject":null}',
};

describe.each(["memory", "disk"] as const)("%s", (storage) => {
  let registry: ServedRegistry;
  beforeAll(async () => {
    registry = await serveRegistry({ storage });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  async function expectSame(bytes: Uint8Array) {
    for (const algorithm of digestAlgorithms) {
      const digest = digestOf(bytes, algorithm);
      const pushed = await putManifest(registry, "a", digest, bytes, {
        mediaType: mediaTypes.ociIndex,
        query: "?tag=same",
      });
      expect(`${pushed.status} ${await pushed.text()}`).toBe("201 ");
      for (const reference of [digest, "same"]) {
        const pulled = await registry.fetch("GET", `/v2/a/manifests/${reference}`, {
          headers: { "Accept-Encoding": "gzip" },
        });
        expect(pulled.headers.get("docker-content-digest")).toBe(digest);
        expect(Buffer.compare(await bodyOf(pulled), bytes)).toBe(0);
      }
    }
  }

  for (const [name, text] of Object.entries(oddities)) {
    test(name, async () => {
      await expectSame(encode(text));
    });
  }

  test("any JSON of an index, in any layout", async () => {
    const layout = fc.constantFrom(undefined, 1, 2, "\t", " \r\n");
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 3 })),
        layout,
        async (fields, indentation) => {
          const {
            annotations: _,
            subject: __,
            mediaType: ___,
            artifactType: ____,
            ...rest
          } = fields;
          const { config: _____, layers: ______, ...free } = rest;
          const value = { ...free, schemaVersion: 2, manifests: [] };
          await expectSame(encode(JSON.stringify(value, null, indentation)));
        },
      ),
      { numRuns: 20 },
    );
  });

  test("annotations of a referrer survive the list of referrers", async () => {
    const subject = `sha256:${"5".repeat(64)}`;
    const annotations = { "a\u0000b": "\ud800", é: "€𝄞", ["__proto__"]: "x", "": "" };
    const value = {
      schemaVersion: 2,
      manifests: [],
      subject: { mediaType: mediaTypes.ociManifest, digest: subject, size: 1 },
      annotations,
    };
    const bytes = encode(JSON.stringify(value));
    await putManifest(registry, "a", digestOf(bytes), bytes, { mediaType: mediaTypes.ociIndex });
    const response = await registry.fetch("GET", `/v2/a/referrers/${subject}`);
    const index = (await response.json()) as { manifests: { annotations: object }[] };
    expect(JSON.stringify(index.manifests[0]?.annotations)).toBe(JSON.stringify(annotations));
  });
});
