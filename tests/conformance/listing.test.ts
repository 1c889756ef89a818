/** Tags and the catalogue: order in bytes, pages, links, and what the caller may see. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { mediaTypes } from "../../src/image/media-type.ts";
import { expectError, indexOf, json, pushManifest } from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const byteOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const tags = ["b", "B", "a", "A", "_", "0", "10", "9", "a-b", "a.b", "a_b", "ab", "Z", "z", "v1.0"];
const repository = "a/blobs/uploads/tags/list/manifests";

/** A repository with these tags, all on one manifest. */
async function withTags(registry: TestRegistry, name: string, names: readonly string[]) {
  const bytes = json(indexOf([]));
  for (let i = 0; i < names.length; i += 100) {
    const query = names.slice(i, i + 100).map((tag) => `tag=${tag}`);
    const { digest } = await pushManifest(registry, name, bytes, {
      mediaType: mediaTypes.ociIndex,
    });
    const response = await registry.request(
      "PUT",
      `/v2/${name}/manifests/${digest}?${query.join("&")}`,
      { body: bytes, headers: { "Content-Type": mediaTypes.ociIndex } },
    );
    expect(response.status).toBe(201);
  }
}

/** Follows the links to the end. */
async function collect(registry: TestRegistry, first: string, field: string) {
  const pages: string[][] = [];
  for (let next: string | undefined = first; next !== undefined; ) {
    const response: Response = await registry.request("GET", next);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    const body = (await response.json()) as Record<string, string[]>;
    pages.push(body[field] ?? []);
    const link = response.headers.get("link");
    next = link === null ? undefined : /^<(\/v2\/[^>]+)>; rel="next"$/.exec(link)?.[1];
    if (link !== null) expect(next).toBeDefined();
    expect(pages.length).toBeLessThan(100);
  }
  return pages;
}

describe("tags", () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry({ ociSettings: { tagsPageLimit: 50 } });
    await withTags(registry, repository, tags);
  });
  afterAll(() => registry[Symbol.asyncDispose]());
  const path = `/v2/${repository}/tags/list`;
  const list = (query = "") => registry.request("GET", `${path}${query}`);
  const sorted = tags.toSorted(byteOrder);

  test("are sorted by their bytes", async () => {
    const response = await list();
    expect(await response.json()).toEqual({ name: repository, tags: sorted });
    expect(response.headers.has("link")).toBe(false);
  });

  test.each([1, 2, 7, 14, 15, 16])("come in pages of %d", async (n) => {
    const pages = await collect(registry, `${path}?n=${n}`, "tags");
    expect(pages.flat()).toEqual(sorted);
    expect(pages.length).toBe(Math.ceil(tags.length / n));
  });

  test("link to the next page in a form that every client resolves", async () => {
    const link = (await list("?n=2")).headers.get("link");
    expect(link).toBe(`<${path}?n=2&last=${sorted[1]}>; rel="next"`);
  });

  test("begin behind `last`, also without `n`, also when it does not exist", async () => {
    const names = async (query: string) =>
      ((await (await list(query)).json()) as { tags: [] }).tags;
    expect(await names("?last=a")).toEqual(sorted.filter((tag) => byteOrder(tag, "a") > 0) as []);
    expect(await names("?last=a-")).toEqual(sorted.filter((tag) => byteOrder(tag, "a-") > 0) as []);
    expect(await names("?last=~")).toEqual([]);
    expect(await names("?last=%C3%A4%E2%82%AC")).toEqual([]);
    expect(await names("?last=")).toEqual(sorted as []);
    expect(await names("?n=1&last=B")).toEqual(["Z"] as unknown as []);
  });

  test("of n=0 are none, without a link", async () => {
    const response = await list("?n=0");
    expect(await response.json()).toEqual({ name: repository, tags: [] });
    expect(response.headers.has("link")).toBe(false);
  });

  test.each(["-1", "a", "1.5", "", "1e2", "9".repeat(30), "%00"])("of n=%s are 400", async (n) => {
    await expectError(await list(`?n=${n}`), 400, "PAGINATION_NUMBER_INVALID");
  });

  test("whose `last` holds a NUL are 400", async () => {
    await expectError(await list("?last=%00"), 400, "UNSUPPORTED");
  });

  test("are cut at the limit of the server, with a link, whatever n says", async () => {
    const names = Array.from({ length: 120 }, (_, i) => `t${String(i).padStart(3, "0")}`);
    await withTags(registry, "many", names);
    for (const query of ["", "?n=1000"]) {
      const pages = await collect(registry, `/v2/many/tags/list${query}`, "tags");
      expect(pages.map((page) => page.length)).toEqual([50, 50, 20]);
      expect(pages.flat()).toEqual(names);
    }
  });

  test("of a repository without any are an empty list", async () => {
    await registry.request("POST", "/v2/untagged/blobs/uploads/");
    const response = await registry.request("GET", "/v2/untagged/tags/list");
    expect(await response.json()).toEqual({ name: "untagged", tags: [] });
  });

  test("of a repository that does not exist are NAME_UNKNOWN", async () => {
    const response = await registry.request("GET", "/v2/no/such/tags/list");
    const { detail } = await expectError(response, 404, "NAME_UNKNOWN");
    expect(detail).toEqual({ repository: "no/such", account: "111122223333" });
  });

  test("any tags in any pages are all of them, once, in order", async () => {
    const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,6}$/);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(tag, { maxLength: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (names, n) => {
          const name = `property/${run++}`;
          await registry.request("POST", `/v2/${name}/blobs/uploads/`);
          await withTags(registry, name, names);
          const pages = await collect(registry, `/v2/${name}/tags/list?n=${n}`, "tags");
          expect(pages.flat()).toEqual(names.toSorted(byteOrder));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("the catalogue", () => {
  const names = ["a", "a-b", "a/b", "a0", "b", "b/a/c", "secret/one", "secret/two", "z"];
  const sorted = names.toSorted(byteOrder);
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry({ ociSettings: { catalogPageDefault: 4, catalogPageLimit: 5 } });
    for (const name of names) await registry.request("POST", `/v2/${name}/blobs/uploads/`);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  test("is sorted by bytes and comes in pages, of the default size without n", async () => {
    const sizes: Record<string, number[]> = {
      "": [4, 4, 1],
      "?n=2": [2, 2, 2, 2, 1],
      "?n=3": [3, 3, 3],
      "?n=500": [5, 4],
    };
    for (const [query, expected] of Object.entries(sizes)) {
      const pages = await collect(registry, `/v2/_catalog${query}`, "repositories");
      expect(pages.map((page) => page.length)).toEqual(expected);
      expect(pages.flat()).toEqual(sorted);
    }
  });

  test("keeps the slashes of names in its links", async () => {
    const response = await registry.request("GET", "/v2/_catalog?n=1&last=a-b");
    expect(response.headers.get("link")).toBe('</v2/_catalog?n=1&last=a/b>; rel="next"');
  });

  test("of n=0 is empty, of a wrong n 400", async () => {
    const none = await registry.request("GET", "/v2/_catalog?n=0");
    expect(await none.json()).toEqual({ repositories: [] });
    expect(none.headers.has("link")).toBe(false);
    const wrong = await registry.request("GET", "/v2/_catalog?n=-1");
    await expectError(wrong, 400, "PAGINATION_NUMBER_INVALID");
  });

  test("of nothing is empty", async () => {
    await using own = await openRegistry();
    const response = await own.request("GET", "/v2/_catalog");
    expect(await response.json()).toEqual({ repositories: [] });
  });

  test("shows only what the caller may pull, and its links name nothing else", async () => {
    await using own = await openRegistry({
      ociSettings: { catalogPageDefault: 4, catalogPageLimit: 5 },
      allows: (action, resource) =>
        action !== "ecr:BatchGetImage" || !resource.includes("repository/secret/"),
    });
    const hidden = Array.from({ length: 12 }, (_, i) => `secret/${String(i).padStart(2, "0")}`);
    const visible = ["a", "b", "z1", "z2", "z3"];
    for (const name of [...hidden, ...visible]) {
      await own.request("POST", `/v2/${name}/blobs/uploads/`);
    }
    for (const n of [1, 2, 3, 5]) {
      let next: string | undefined = `/v2/_catalog?n=${n}`;
      const seen: string[] = [];
      while (next !== undefined) {
        const response: Response = await own.request("GET", next);
        const { repositories } = (await response.json()) as { repositories: string[] };
        seen.push(...repositories);
        const link: string | null = response.headers.get("link");
        expect(link ?? "").not.toContain("secret");
        next = link === null ? undefined : /^<([^>]+)>/.exec(link)?.[1];
      }
      expect(seen).toEqual(visible);
    }
  });

  test("is refused to a caller who may not list", async () => {
    await using own = await openRegistry({
      allows: (action) => action !== "ecr:DescribeRepositories",
    });
    await expectError(await own.request("GET", "/v2/_catalog"), 403, "DENIED");
  });
});

test("extensions: there are none, and that is said", async () => {
  await using registry = await openRegistry();
  for (const path of ["/v2/_oci/ext/discover", "/v2/a/b/_oci/ext/discover"]) {
    const response = await registry.request("GET", path);
    expect(await response.json()).toEqual({ extensions: [] });
  }
});
