import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type ParsedPath, parsePath, parseQuery, type Route, splitUrl } from "./path.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const digest = `sha256:${"a".repeat(64)}`;

function shown(path: string): string {
  const parsed = parsePath(path);
  return parsed === undefined
    ? "nothing"
    : [parsed.route, parsed.repository, parsed.reference].join(" ").trim();
}

describe("parsePath", () => {
  test.each([
    ["/v2", "base"],
    ["/v2/", "base"],
    ["/v2/_catalog", "catalog"],
    ["/v2/_oci/ext/discover", "extensions"],
    ["/v2/a/_oci/ext/discover", "extensions a"],
    ["/v2/a/tags/list", "tags a"],
    ["/v2/a/b/tags/list", "tags a/b"],
    ["/v2/a/manifests/latest", "manifest a latest"],
    [`/v2/a/manifests/${digest}`, `manifest a ${digest}`],
    [`/v2/a/blobs/${digest}`, `blob a ${digest}`],
    [`/v2/a/referrers/${digest}`, `referrers a ${digest}`],
    ["/v2/a/blobs/uploads/", "uploads a"],
    ["/v2/a/blobs/uploads", "uploads a"],
    ["/v2/a/blobs/uploads/id", "upload a id"],
  ])("%s is %s", (path, expected) => {
    expect(shown(path)).toBe(expected);
  });

  test.each([
    ["/v2/a/blobs/uploads/tags/list", "tags a/blobs/uploads"],
    ["/v2/a/blobs/uploads/manifests/latest", "manifest a/blobs/uploads latest"],
    ["/v2/a/manifests/blobs/uploads/", "uploads a/manifests"],
    ["/v2/a/manifests/blobs/uploads/id", "upload a/manifests id"],
    ["/v2/a/tags/list/tags/list", "tags a/tags/list"],
    ["/v2/manifests/manifests/manifests", "manifest manifests manifests"],
    ["/v2/tags/manifests/list", "manifest tags list"],
    ["/v2/a/manifests/uploads", "manifest a uploads"],
    ["/v2/uploads/blobs/uploads/", "uploads uploads"],
    [`/v2/a/referrers/blobs/${digest}`, `blob a/referrers ${digest}`],
    ["/v2/v2/tags/list", "tags v2"],
  ])("a name may hold keywords, the last one counts: %s is %s", (path, expected) => {
    expect(shown(path)).toBe(expected);
  });

  test.each([
    "/",
    "/v1/",
    "/v2x/",
    "/v2/a",
    "/v2/tags/list",
    "/v2/manifests/latest",
    "/v2/blobs/uploads/",
    "/v2/blobs/uploads",
    `/v2/blobs/${digest}`,
    "/v2/_catalog/",
    "/v2/a/tags",
    "/v2/a/tags/list/",
    "/v2/a/nothing/b",
    "/v2/a/_oci/ext/other",
    "v2/a/tags/list",
    "",
  ])("%p is no route", (path) => {
    expect(shown(path)).toBe("nothing");
  });

  test.each([
    ["/v2/a%2Fb/manifests/x", "manifest a/b x"],
    [`/v2/a/manifests/${encodeURIComponent(digest)}`, `manifest a ${digest}`],
    ["/v2/a/manifests/%2e%2e%2f%2e%2e", "manifest a ../.."],
    ["/v2/a/manifests/%00", "manifest a \0"],
    ["/v2/%2e%2e/manifests/x", "manifest .. x"],
    ["/v2/a/manifests/%", "manifest a %"],
    ["/v2/a/manifests/%zz", "manifest a %zz"],
    ["/v2/a/manifests/%c0%af", "manifest a %c0%af"],
    ["/v2/a/manifests/%252e", "manifest a %2e"],
    ["/v2/a/manifests/", "manifest a"],
    ["/v2//manifests/x", "manifest  x"],
    ["/v2/a//tags/list", "tags a/"],
  ])("%s is decoded once and left to the checks: %p", (path, expected) => {
    expect(shown(path)).toBe(expected);
  });

  test("every route gives back the name and the reference it was made of", () => {
    const word = fc.constantFrom("a", "b0", "blobs", "uploads", "tags", "list", "manifests", "v2");
    const name = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join("/"));
    const reference = fc.constantFrom(digest, "latest", "manifests", "blobs", "list", "uploads");
    const forms: Record<string, (name: string, reference: string) => [string, ParsedPath]> = {};
    const form = (route: Route, make: (name: string, reference: string) => string, has = true) => {
      forms[route] = (repository, text) => [
        make(repository, text),
        { route, repository, reference: has ? text : "" },
      ];
    };
    form("manifest", (name, text) => `/v2/${name}/manifests/${text}`);
    form("referrers", (name) => `/v2/${name}/referrers/${digest}`);
    form("blob", (name) => `/v2/${name}/blobs/${digest}`);
    form("tags", (name) => `/v2/${name}/tags/list`, false);
    form("uploads", (name) => `/v2/${name}/blobs/uploads/`, false);
    form("upload", (name) => `/v2/${name}/blobs/uploads/0-1-2`);
    fc.assert(
      fc.property(
        name,
        reference,
        fc.constantFrom(...Object.entries(forms)),
        (repository, text, [route, make]) => {
          const used = { upload: "0-1-2", blob: digest, referrers: digest }[route] ?? text;
          const [path, expected] = make(repository, used);
          expect(parsePath(path)).toEqual(expected);
        },
      ),
    );
  });

  test("no text makes it fail", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        parsePath(`/v2/${text}`);
        parseQuery(text);
        splitUrl(text);
      }),
    );
  });
});

describe("parseQuery", () => {
  test.each([
    ["", "n", undefined],
    ["n=1", "n", "1"],
    ["n", "n", ""],
    ["n=", "n", ""],
    ["n=1&n=2", "n", "1"],
    ["x=1&n=2", "n", "2"],
    ["artifactType=application/spdx+json", "artifactType", "application/spdx+json"],
    ["artifactType=application%2Fspdx%2Bjson", "artifactType", "application/spdx+json"],
    ["digest=sha256%3Aaa", "digest", "sha256:aa"],
    ["a=b=c", "a", "b=c"],
    ["a=%", "a", "%"],
    ["a=%00", "a", "\0"],
    ["&&a=1&", "a", "1"],
    ["%6e=1", "n", "1"],
    ["__proto__=1", "__proto__", "1"],
    ["a=1", "__proto__", undefined],
    ["a=1", "constructor", undefined],
    ["a=1", "toString", undefined],
  ])("%p: %s is %p", (text, name, expected) => {
    expect(parseQuery(text).get(name)).toBe(expected as string);
  });

  test("keeps every value in order", () => {
    expect(parseQuery("tag=a&x=y&tag=b&tag=").all("tag")).toEqual(["a", "b", ""]);
    expect(parseQuery("").all("tag")).toEqual([]);
  });

  test("reads back what encodeURIComponent wrote", () => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (pairs) => {
        const query = parseQuery(
          pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&"),
        );
        for (const [name] of pairs) {
          const expected = pairs.filter(([other]) => other === name).map(([, value]) => value);
          // An empty pair is an empty text, which is no parameter at all.
          if (name !== "") expect([...query.all(name)]).toEqual(expected);
        }
      }),
    );
  });
});

test.each([
  ["http://host/v2/?a=b", "/v2/", "a=b"],
  ["http://host/v2/", "/v2/", ""],
  ["http://host", "/", ""],
  ["http://host/v2/#frag?x=y", "/v2/", ""],
  ["http://host/v2/?a=b#frag", "/v2/", "a=b"],
  ["http://host/v2/?a=b?c", "/v2/", "a=b?c"],
  ["/v2/?a=b", "/v2/", "a=b"],
  ["/v2/", "/v2/", ""],
  ["host:443", "host:443", ""],
])("splitUrl: %s", (url, path, query) => {
  expect(splitUrl(url)).toEqual({ path, query });
});
