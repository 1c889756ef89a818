import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  createHasher,
  digestAlgorithm,
  digestAlgorithms,
  digestEncoded,
  digestOf,
  isDigestSyntax,
  parseDigest,
} from "./digest.ts";

const hex64 = "a".repeat(64);
const hex128 = "b".repeat(128);

describe("parseDigest", () => {
  test.each([`sha256:${hex64}`, `sha512:${hex128}`])("takes %s", (text) => {
    expect(parseDigest(text) as string).toBe(text);
    expect(isDigestSyntax(text)).toBe(true);
  });

  test.each([
    ["upper case", `sha256:${"A".repeat(64)}`],
    ["too short", `sha256:${"a".repeat(63)}`],
    ["too long", `sha256:${"a".repeat(65)}`],
    ["sha512 with the length of sha256", `sha512:${hex64}`],
    ["sha256 with the length of sha512", `sha256:${hex128}`],
    ["not hexadecimal", "sha256:baddigeststring"],
    ["an algorithm in capitals", `SHA256:${hex64}`],
    ["an algorithm that is not supported", `blake3:${hex64}`],
    ["no algorithm", `:${hex64}`],
    ["no colon", hex64],
    ["a newline at the end", `sha256:${hex64}\n`],
    ["a space in front", ` sha256:${hex64}`],
    ["a NUL at the end", `sha256:${hex64}\0`],
    ["a path behind it", `sha256:${hex64}/../x`],
    ["nothing", ""],
  ])("refuses %s", (_what, text) => {
    expect(parseDigest(text)).toBeUndefined();
  });
});

test.each([
  [`blake3:${hex64}`, true],
  ["sha256:baddigeststring", true],
  ["multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", true],
  ["a_b.c-d+e:x=", true],
  ["+a:b", false],
  ["a++b:c", false],
  ["a:", false],
  ["a:b/c", false],
  ["a:b:c", false],
])("the grammar of %p: %p", (text, expected) => {
  expect(isDigestSyntax(text)).toBe(expected);
});

test("the digests of nothing are the published ones", () => {
  const nothing = new Uint8Array();
  expect(digestOf(nothing)).toBe(
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  expect(digestOf(nothing, "sha512")).toBe(
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
  );
});

test("a running hash is the hash of the whole, however the bytes come", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...digestAlgorithms),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }),
      (algorithm, chunks) => {
        const hasher = createHasher(algorithm);
        for (const chunk of chunks) hasher.update(chunk);
        const digest = hasher.digest();
        expect(digest).toBe(digestOf(Buffer.concat(chunks), algorithm));
        expect(parseDigest(digest)).toBe(digest);
        expect(`${digestAlgorithm(digest)}:${digestEncoded(digest)}`).toBe(digest);
      },
    ),
  );
});
