import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isRepositoryName, isTag, repositoryNameLengthLimit } from "./reference.ts";

describe("repository names", () => {
  test.each([
    "a",
    "0",
    "library/debian",
    "a/b/c/d/e/f/g/h",
    "a.b_c__d-e---f/0",
    "blobs/uploads/manifests/tags/list/referrers",
    "v2/v2",
    "a".repeat(repositoryNameLengthLimit),
  ])("takes %s", (name) => {
    expect(isRepositoryName(name)).toBe(true);
  });

  test.each([
    "",
    "A",
    "a/B",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a.",
    "a..b",
    "a___b",
    "a._b",
    "-a",
    "a-",
    "a/./b",
    "a/../b",
    "..",
    "../a",
    "a b",
    "a\0",
    "a\n",
    "a%2fb",
    "_catalog",
    "_oci",
    "ä",
    "a:b",
    "a@b",
    "a\\b",
    "a".repeat(repositoryNameLengthLimit + 1),
  ])("refuses %p", (name) => {
    expect(isRepositoryName(name)).toBe(false);
  });

  test("a name is its components joined by slashes", () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 6 }), (components) => {
        expect(isRepositoryName(components.join("/"))).toBe(true);
      }),
    );
  });

  test("whatever is taken is safe in a path, a header and a database", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        if (isRepositoryName(text)) expect(text).toMatch(/^[a-z0-9._/-]+$/);
        expect(isRepositoryName(`../${text}`)).toBe(false);
        expect(isRepositoryName(`${text}/..`)).toBe(false);
      }),
    );
  });

  test("a long hostile name is judged at once", () => {
    // A pattern that backtracks would never end here.
    expect(isRepositoryName(`${"a-".repeat(500_000)}!`)).toBe(false);
    expect(isRepositoryName(`${"a_".repeat(127)}!`)).toBe(false);
  });
});

describe("tags", () => {
  test.each([
    "latest",
    "1.0",
    "_",
    "A",
    "v1.0_rc-1",
    "a".repeat(128),
    "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig",
    "manifests",
    "list",
  ])("takes %s", (tag) => {
    expect(isTag(tag)).toBe(true);
  });

  test.each(["", ".a", "-a", "a b", "a/b", "a:b", "a+b", "a\0", "a\n", "ä", "a".repeat(129), ".."])(
    "refuses %p",
    (tag) => {
      expect(isTag(tag)).toBe(false);
    },
  );
});
