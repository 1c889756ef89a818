/** What holds for every endpoint: who may ask, how it is answered, and that HEAD tells what GET does. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mediaTypes } from "../../src/image/media-type.ts";
import { endpoints } from "../../src/oci/router.ts";
import {
  absentDigest,
  beginUpload,
  bodyOf,
  bytesOf,
  expectError,
  indexOf,
  pushBlob,
  pushImage,
  pushManifest,
} from "../support/content.ts";
import { openRegistry } from "../support/registry.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: ServedRegistry;
let paths: Record<string, string>;
const repository = "a/blobs/uploads/tags/list";
beforeAll(async () => {
  registry = await serveRegistry({ storage: "disk" });
  const image = await pushImage(registry, repository, "protocol", { reference: "latest" });
  const empty = await pushBlob(registry, repository, new Uint8Array());
  const index = await pushManifest(registry, repository, indexOf([]), {
    mediaType: mediaTypes.ociIndex,
  });
  const upload = await beginUpload(registry, repository);
  await registry.request("PATCH", upload, { body: bytesOf("part") });
  paths = {
    base: "/v2/",
    "base without slash": "/v2",
    "blob of a config": `/v2/${repository}/blobs/${image.blobs[0]?.digest}`,
    "blob of a layer": `/v2/${repository}/blobs/${image.blobs[1]?.digest}`,
    "blob of nothing": `/v2/${repository}/blobs/${empty.digest}`,
    "blob that is absent": `/v2/${repository}/blobs/${absentDigest}`,
    "blob under a malformed digest": `/v2/${repository}/blobs/sha256:bad`,
    "blob under the digest of a manifest": `/v2/${repository}/blobs/${image.digest}`,
    "manifest by tag": `/v2/${repository}/manifests/latest`,
    "manifest by digest": `/v2/${repository}/manifests/${image.digest}`,
    "index by digest": `/v2/${repository}/manifests/${index.digest}`,
    "manifest that is absent": `/v2/${repository}/manifests/absent`,
    "manifest under a malformed tag": `/v2/${repository}/manifests/-`,
    tags: `/v2/${repository}/tags/list`,
    "tags, first page": `/v2/${repository}/tags/list?n=0`,
    "tags with a wrong n": `/v2/${repository}/tags/list?n=x`,
    "tags of an absent repository": "/v2/no/such/tags/list",
    referrers: `/v2/${repository}/referrers/${image.digest}`,
    upload,
    "upload that is absent": `${upload}0`,
    catalogue: "/v2/_catalog",
    "catalogue, first page": "/v2/_catalog?n=1",
    extensions: "/v2/_oci/ext/discover",
    "extensions of a repository": `/v2/${repository}/_oci/ext/discover`,
    "no such endpoint": "/v2/nothing/here",
    "a malformed name": "/v2/UPPER/tags/list",
  };
});
afterAll(async () => {
  expect(registry.escaped).toEqual([]);
  await registry[Symbol.asyncDispose]();
});

describe("HEAD says what GET says", () => {
  const names = [
    ...["base", "base without slash", "blob of a config", "blob of a layer", "blob of nothing"],
    ...["blob that is absent", "blob under a malformed digest", "manifest by tag"],
    ...["blob under the digest of a manifest", "manifest by digest", "index by digest"],
    ...["manifest that is absent", "manifest under a malformed tag", "tags", "tags, first page"],
    ...["tags with a wrong n", "tags of an absent repository", "referrers", "upload"],
    ...["upload that is absent", "catalogue", "catalogue, first page", "extensions"],
    ...["extensions of a repository", "no such endpoint", "a malformed name"],
  ];
  const answer = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const response = await registry.fetch(method, path, { headers });
    const { date: _, ...rest } = Object.fromEntries(response.headers);
    return { status: response.status, headers: rest, body: await bodyOf(response) };
  };

  test("the names are all", () => {
    expect(names.toSorted()).toEqual(Object.keys(paths).toSorted());
  });

  for (const name of names) {
    test(name, async () => {
      const path = paths[name] ?? "";
      const [got, head] = [await answer("GET", path), await answer("HEAD", path)];
      expect(head.body).toHaveLength(0);
      expect({ status: head.status, headers: head.headers }).toEqual({
        status: got.status,
        headers: got.headers,
      });
      if (got.status !== 204) {
        expect(got.headers["content-length"]).toBe(String(got.body.byteLength));
      }
    });
  }

  test("also when it was not modified", async () => {
    for (const name of ["blob of a layer", "manifest by tag"]) {
      const path = paths[name] ?? "";
      const headers = { "If-None-Match": (await answer("GET", path)).headers.etag ?? "" };
      const [got, head] = [await answer("GET", path, headers), await answer("HEAD", path, headers)];
      expect(got.status).toBe(304);
      expect(head).toEqual(got);
    }
  });

  test("without a body on the wire: the next answer comes right behind it", async () => {
    using connection = await registry.connect();
    const request = (method: string, path: string) =>
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${btoa("root:secret")}\r\n\r\n`;
    const count = (received: string) => received.split("\r\n\r\n").length - 1;
    // One after the other: Bun closes a connection on which requests overtake their answers.
    for (const [i, path] of Object.values(paths).entries()) {
      connection.send(request("HEAD", path));
      await connection.receive((received) => count(received) > i);
    }
    connection.send(request("GET", "/v2/nothing"));
    const received = await connection.receive('"UNSUPPORTED"');
    const answers = received.split("\r\n\r\n");
    expect(answers).toHaveLength(Object.keys(paths).length + 2);
    for (const answer of answers.slice(0, -1)) expect(answer).toStartWith("HTTP/1.1 ");
  });
});

describe("authentication", () => {
  test("comes first, on every endpoint, whether or not the thing exists", async () => {
    for (const path of Object.values(paths)) {
      for (const method of ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]) {
        const response = await registry.fetch(method, path, { anonymous: true });
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe(
          `Basic realm="http://127.0.0.1:${registry.port}/",service="ecr.amazonaws.com"`,
        );
        expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
        if (method !== "HEAD") await expectError(response, 401, "UNAUTHORIZED");
      }
    }
  });

  test.each([
    ["wrong", `Basic ${btoa("root:wrong")}`],
    ["without a colon", `Basic ${btoa("root")}`],
    ["Bearer", "Bearer abc"],
    ["nothing but a scheme", "Basic"],
    ["empty", ""],
  ])("that is %s is 401", async (_what, authorization) => {
    const response = await registry.request("GET", "/v2/", {
      headers: { Authorization: authorization },
    });
    const error = await expectError(response, 401, "UNAUTHORIZED");
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test.each(['evil" injected="1', "a\tb", "<script>", "a".repeat(300)])(
    "repeats no host that could break the challenge: %p",
    async (host) => {
      const response = await registry.request("GET", "/v2/", {
        anonymous: true,
        headers: { Host: host },
      });
      expect(response.headers.get("www-authenticate")).toBe(
        'Basic realm="http://localhost/",service="ecr.amazonaws.com"',
      );
    },
  );
});

describe("permission", () => {
  test("is decided before anything is looked at: what exists is refused as what does not", async () => {
    await using own = await openRegistry({ allows: () => false });
    const requests = [
      ["GET", "manifests/latest"],
      ["HEAD", "manifests/latest"],
      ["PUT", "manifests/latest"],
      ["DELETE", "manifests/latest"],
      ["GET", `blobs/${absentDigest}`],
      ["HEAD", `blobs/${absentDigest}`],
      ["DELETE", `blobs/${absentDigest}`],
      ["GET", "tags/list"],
      ["GET", `referrers/${absentDigest}`],
      ["POST", "blobs/uploads/"],
      ["GET", "blobs/uploads/0"],
      ["PATCH", "blobs/uploads/0"],
      ["PUT", "blobs/uploads/0"],
      ["DELETE", "blobs/uploads/0"],
    ] as const;
    for (const [method, path] of requests) {
      const response = await own.request(method, `/v2/a/${path}`);
      expect(response.status).toBe(403);
      if (method !== "HEAD") await expectError(response, 403, "DENIED");
    }
    const covered = new Set(requests.map(([method, path]) => `${method} ${path.split("/")[0]}`));
    for (const { method, route, action } of endpoints) {
      const word = route.replace(/s$/, "").replace("upload", "blob");
      if (action === undefined || route === "catalog") continue;
      expect([...covered].some((each) => each.startsWith(`${method} ${word}`))).toBe(true);
    }
  });

  test("asks for each endpoint's own action on the repository's ARN", async () => {
    const asked: string[] = [];
    await using own = await openRegistry({
      allows: (action, resource) => {
        asked.push(`${action} ${resource}`);
        return true;
      },
    });
    await own.request("GET", "/v2/team/app/manifests/latest");
    await own.request("POST", "/v2/team/app/blobs/uploads/");
    expect(asked).toEqual([
      "ecr:BatchGetImage arn:aws:ecr:us-east-1:111122223333:repository/team/app",
      "ecr:InitiateLayerUpload arn:aws:ecr:us-east-1:111122223333:repository/team/app",
      "ecr:CreateRepository arn:aws:ecr:us-east-1:111122223333:repository/team/app",
    ]);
  });
});

describe("routes", () => {
  test("a method that an endpoint does not have is 405 with those that it has", async () => {
    const expected: Record<string, string> = {
      "/v2/": "GET, HEAD",
      "/v2/_catalog": "GET, HEAD",
      "/v2/a/tags/list": "GET, HEAD",
      "/v2/a/blobs/uploads/": "POST",
      "/v2/a/blobs/uploads/0": "DELETE, GET, HEAD, PATCH, PUT",
      [`/v2/a/blobs/${absentDigest}`]: "DELETE, GET, HEAD",
      "/v2/a/manifests/x": "DELETE, GET, HEAD, PUT",
      [`/v2/a/referrers/${absentDigest}`]: "GET, HEAD",
    };
    for (const [path, allow] of Object.entries(expected)) {
      const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter(
        (method) => !allow.includes(method),
      );
      for (const method of methods) {
        const response = await registry.fetch(method, path);
        const allowed = response.headers.get("allow") ?? "";
        expect(allowed.split(", ").toSorted().join(", ")).toBe(allow);
        await expectError(response, 405, "UNSUPPORTED");
      }
    }
  });

  test.each(["/v2/x", "/v2/a/b/c", "/v2/tags/list", "/v2//", "/v2/_catalog/x", "/v2/a/extra/b"])(
    "%s is no endpoint: 404",
    async (path) => {
      await expectError(await registry.fetch("GET", path), 404, "UNSUPPORTED");
    },
  );

  test.each([
    "UPPER",
    "a/B",
    "a..b",
    "-a",
    "a%00b",
    "%c3%a4",
    "a%20b",
    "a%5cb",
    "a%0d%0ab",
    "%ff",
    "a%252fb",
    "a".repeat(257),
  ])("the name %s is NAME_INVALID", async (name) => {
    const error = await expectError(
      await registry.fetch("GET", `/v2/${name}/tags/list`),
      400,
      "NAME_INVALID",
    );
    expect(Object.keys(error.detail as object)).toEqual(["name"]);
  });

  test("a name may be written with escapes", async () => {
    const response = await registry.fetch(
      "GET",
      `/v2/${encodeURIComponent(repository)}/manifests/%6C%61test`,
    );
    expect(response.status).toBe(200);
  });

  test("query parameters that nobody knows are ignored everywhere", async () => {
    for (const path of Object.values(paths)) {
      const plain = await registry.fetch("GET", path);
      const mark = path.includes("?") ? "&" : "?";
      const more = await registry.fetch("GET", `${path}${mark}ns=docker.io&x=%zz&__proto__=1&&=`);
      expect(more.status).toBe(plain.status);
      expect(await bodyOf(more)).toEqual(await bodyOf(plain));
    }
  });
});

describe("locations", () => {
  test("are relative, and begin with the base URL when one is set", async () => {
    await using own = await openRegistry({
      ociSettings: { locationBaseUrl: "https://registry.example.test/" },
    });
    const bytes = bytesOf("base");
    const response = await own.request("POST", "/v2/a/blobs/uploads/");
    const location = response.headers.get("location") ?? "";
    expect(location).toStartWith("https://registry.example.test/v2/a/blobs/uploads/");
    const outOfOrder = await own.request("PATCH", location, {
      body: bytes,
      headers: { "Content-Range": "5-68" },
    });
    expect(outOfOrder.status).toBe(416);
    expect(outOfOrder.headers.get("location")).toBe(location);
  });
});

test("an account in the host name selects the registry", async () => {
  const resources: string[] = [];
  await using own = await openRegistry({
    allows: (_action, resource) => {
      resources.push(resource);
      return false;
    },
  });
  for (const host of [
    "444455556666.dkr.ecr.us-east-1.example.test",
    "444455556666.dkr.ecr.us-east-1.example.test:5001",
    "localhost:5001",
  ]) {
    const response = await own.request("GET", "/v2/a/tags/list", { headers: { Host: host } });
    expect(response.status).toBe(403);
  }
  expect(resources.map((resource) => resource.split(":")[4])).toEqual([
    "444455556666",
    "444455556666",
    "111122223333",
  ]);
});

test("repositories see nothing of each other", async () => {
  await using own = await openRegistry();
  const image = await pushImage(own, "team/one", "isolated", { reference: "latest" });
  const upload = await beginUpload(own, "team/one");
  await own.request("POST", "/v2/team/two/blobs/uploads/");
  for (const path of [
    "manifests/latest",
    `manifests/${image.digest}`,
    `blobs/${image.blobs[0]?.digest}`,
    upload.replace("/v2/team/one/", ""),
  ]) {
    for (const other of ["team/two", "team", "team/one/two", "one"]) {
      expect((await own.request("GET", `/v2/${other}/${path}`)).status).toBe(404);
      expect((await own.request("DELETE", `/v2/${other}/${path}`)).status).toBe(404);
    }
    expect((await own.request("GET", `/v2/team/one/${path}`)).status).toBeLessThan(300);
  }
  const manifest = await own.request("PUT", "/v2/team/two/manifests/stolen", {
    body: image.bytes,
    headers: { "Content-Type": image.mediaType },
  });
  await expectError(manifest, 400, "MANIFEST_BLOB_UNKNOWN");
});
