import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RegistryError } from "../registry/errors.ts";
import type { BodyPace } from "./body.ts";
import {
  pageSize,
  pageStart,
  requireDigest,
  requireReference,
  requireTag,
  requireUploadId,
  uploadChunk,
} from "./input.ts";

const digest = `sha256:${"a".repeat(64)}`;
const pace: BodyPace = {
  clock: { now: () => 0, sleep: () => new Promise(() => {}) },
  stallMilliseconds: 1000,
};

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
  return "accepted";
}

test("what holds a colon is a digest, all else a tag", () => {
  expect(requireReference(digest)).toEqual({ digest: digest as never });
  expect(requireReference("latest")).toEqual({ tag: "latest" });
  expect(requireReference(`sha256-${"a".repeat(64)}`)).toEqual({ tag: `sha256-${"a".repeat(64)}` });
  expect(codeOf(() => requireReference("a:b"))).toBe("digest_invalid");
  expect(codeOf(() => requireReference("a/b"))).toBe("tag_invalid");
  expect(codeOf(() => requireReference(""))).toBe("tag_invalid");
});

test.each([
  [undefined, "the digest is missing"],
  ["", "the digest is malformed"],
  ["sha256:baddigeststring", "the digest is malformed"],
  [`sha256:${"A".repeat(64)}`, "the digest is malformed"],
  [`blake3:${"a".repeat(64)}`, "the digest's algorithm is not supported: use sha256 or sha512"],
  ["md5:abc", "the digest's algorithm is not supported: use sha256 or sha512"],
])("the digest %p is refused: %s", (text, reason) => {
  expect(() => requireDigest(text)).toThrow(
    new RegistryError("digest_invalid", { digest: text ?? "", reason }),
  );
});

test("an error repeats no more than 256 characters of what was sent", () => {
  for (const refuse of [requireDigest, requireTag, requireUploadId]) {
    expect(() => refuse(`!${"x".repeat(100_000)}`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{256,600}$/) }),
    );
  }
});

test.each([
  ["6c1e0f1e-0c3b-4f6e-9a41-000000000000", "accepted"],
  ["", "upload_unknown"],
  ["..", "upload_unknown"],
  ["../../../etc/passwd", "upload_unknown"],
  ["a/b", "upload_unknown"],
  ["a\0", "upload_unknown"],
  ["a\n", "upload_unknown"],
  ["%2e%2e", "upload_unknown"],
  ["ä", "upload_unknown"],
  ["a".repeat(65), "upload_unknown"],
])("the upload id %p: %s", (text, expected) => {
  expect(codeOf(() => requireUploadId(text))).toBe(expected);
});

describe("paging", () => {
  test.each([
    [undefined, 100],
    ["0", 0],
    ["7", 7],
    ["007", 7],
    ["5000", 1000],
    ["999999999999999", 1000],
  ])("n=%p is %p", (text, expected) => {
    expect(pageSize(text, 100, 1000)).toBe(expected);
  });

  test.each(["", "-1", "1.5", "1e3", "0x10", " 1", "+1", "a", "9".repeat(16), "NaN", "１"])(
    "n=%p is refused",
    (text) => {
      expect(codeOf(() => pageSize(text, 100, 1000))).toBe("parameter_invalid");
    },
  );

  test("last may be any text that a database takes", () => {
    expect(pageStart(undefined)).toBe("");
    expect(pageStart("does/not:exist ä")).toBe("does/not:exist ä");
    expect(codeOf(() => pageStart("a\0"))).toBe("parameter_invalid");
    expect(codeOf(() => pageStart("a".repeat(1025)))).toBe("parameter_invalid");
  });
});

describe("the range of a chunk", () => {
  const chunk = (headers: Record<string, string>) =>
    uploadChunk(new Request("http://registry.test/", { method: "PATCH", headers }), pace);

  test("a stream has none", () => {
    expect(chunk({})).not.toHaveProperty("start");
    expect(chunk({})).not.toHaveProperty("length");
    expect(chunk({ "content-length": "5" })).toMatchObject({ length: 5 });
  });

  test.each(["5-9", "bytes 5-9/10", "bytes 5-9/*", "bytes=5-9", " 5-9 "])("%p", (range) => {
    expect(chunk({ "content-range": range })).toMatchObject({ start: 5, length: 5 });
    expect(chunk({ "content-range": range, "content-length": "5" })).toMatchObject({ start: 5 });
  });

  test.each(["", "5", "-5", "5-", "9-5", "a-b", "5-9,10-12", "bytes", "5-9/x", "0x1-2", "1.0-2"])(
    "%p is refused",
    (range) => {
      expect(codeOf(() => chunk({ "content-range": range }))).toBe("parameter_invalid");
    },
  );

  test("that is not as long as the body is refused", () => {
    expect(codeOf(() => chunk({ "content-range": "0-9", "content-length": "9" }))).toBe(
      "size_invalid",
    );
  });

  test("any text is taken or refused", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]*$/), (range) => {
        expect(["accepted", "parameter_invalid"]).toContain(
          codeOf(() => chunk({ "content-range": range })),
        );
      }),
    );
  });
});
