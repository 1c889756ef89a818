/** Each request to the registry as several principals: what it asks for, and what refusals tell. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { AuditRecord } from "../../src/access/audit.ts";
import { rootPrincipal } from "../../src/access/credentials.ts";
import { userPrincipal } from "../support/access-request.ts";
import { auditInto } from "../support/audit-records.ts";
import {
  allow,
  basic,
  deny,
  policy,
  type WorldAccess,
  worldAccess,
} from "../support/policy-world.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

const account = "111122223333";
const partner = "444455556666";
const arn = (name: string) => `arn:aws:ecr:us-east-1:${account}:repository/${name}`;
const host = `${account}.dkr.ecr.us-east-1.example.com`;

const users = {
  root: rootPrincipal(account),
  jo: userPrincipal(account, "jo"),
  reader: userPrincipal(account, "reader"),
  kim: userPrincipal(partner, "kim"),
};

const blob = Buffer.from("{}");
const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.empty.v1+json", digest, size: blob.byteLength },
  layers: [],
});
const manifestDigest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;

const records: AuditRecord[] = [];
let world: WorldAccess;
let registry: TestRegistry;

beforeAll(async () => {
  world = worldAccess({}, { users, audit: auditInto(records) });
  registry = await openRegistry({ access: world.access });
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(() => grant([]));

/** Gives jo these actions on repositories, and makes the access forget what it knew. */
function grant(actions: string[], resource = "*", rest: Partial<WorldAccess["world"]> = {}): void {
  Object.assign(world.world, {
    identities: [
      {
        principal: users.jo,
        policies: actions.length === 0 ? [] : [policy(allow(actions, { Resource: resource }))],
      },
      { principal: users.reader, policies: [policy(allow(["ecr:BatchGetImage", "ecr:List*"]))] },
      { principal: users.kim, policies: [policy(allow("ecr:*"))] },
    ],
    repositoryPolicies: {},
    ...rest,
  });
  world.forgetAll();
  records.length = 0;
}

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array | string;
}

function send(user: string, method: string, path: string, { headers, body }: Sent = {}) {
  return registry.request(method, path, {
    headers: { ...basic(user), ...headers },
    ...(body !== undefined && { body }),
  });
}

async function outcome(response: Response): Promise<string> {
  if (response.status < 400) return String(response.status);
  const text = await response.text();
  if (text === "") return String(response.status);
  const { errors } = JSON.parse(text) as { errors: { code: string; message: string }[] };
  return `${response.status} ${errors[0]?.code} ${errors[0]?.message}`;
}

const refusal = (
  action: string,
  name: string,
  because = "because no identity-based policy allows",
) =>
  `403 DENIED User: ${users.jo.arn} is not authorized to perform: ${action} on resource: ${arn(name)} ${because} the ${action} action`;

async function pushTo(name: string): Promise<void> {
  const upload = await send("root", "POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, {
    body: blob,
  });
  expect(upload.status).toBe(201);
  const pushed = await send("root", "PUT", `/v2/${name}/manifests/v1`, { body: manifest });
  expect(pushed.status).toBe(201);
}

async function session(name: string): Promise<string> {
  const begun = await send("root", "POST", `/v2/${name}/blobs/uploads/`);
  return begun.headers.get("location") ?? "";
}

describe("each request asks for all that it comes to", () => {
  const cases: [string, string, () => Promise<Sent & { path: string }>, string[], string][] = [
    ["GET", "manifest", at("manifests/v1"), ["BatchGetImage"], "200"],
    ["HEAD", "manifest", at("manifests/v1"), ["BatchGetImage"], "200"],
    ["GET", "tags", at("tags/list"), ["ListImages"], "200"],
    ["GET", "blob", at(`blobs/${digest}`), ["GetDownloadUrlForLayer"], "200"],
    ["HEAD", "blob", at(`blobs/${digest}`), ["BatchCheckLayerAvailability"], "200"],
    ["GET", "referrers", at(`referrers/${digest}`), ["BatchGetImage"], "200"],
    ["POST", "upload", at("blobs/uploads/"), ["InitiateLayerUpload"], "202"],
    [
      "POST",
      "whole blob",
      at(`blobs/uploads/?digest=${digest}`, { body: blob }),
      ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"],
      "201",
    ],
    [
      "POST",
      "mount",
      at(`blobs/uploads/?mount=${digest}&from=source`),
      ["InitiateLayerUpload", "GetDownloadUrlForLayer"],
      "201",
    ],
    ["GET", "upload", inSession(""), ["UploadLayerPart"], "204"],
    ["PATCH", "upload", inSession("", { body: blob }), ["UploadLayerPart"], "202"],
    ["DELETE", "upload", inSession(""), ["UploadLayerPart"], "204"],
    [
      "PUT",
      "upload, with bytes",
      inSession(`?digest=${digest}`, { body: blob }),
      ["CompleteLayerUpload", "UploadLayerPart"],
      "201",
    ],
    ["PUT", "manifest", at("manifests/v2", { body: manifest }), ["PutImage"], "201"],
    ["DELETE", "tag", at("manifests/v2"), ["BatchDeleteImage"], "202"],
  ];

  function at(path: string, sent: Sent = {}) {
    return async () => ({ path: `/v2/web/${path}`, ...sent });
  }
  function inSession(query: string, sent: Sent = {}) {
    return async () => ({ path: `${await session("web")}${query}`, ...sent });
  }

  beforeAll(async () => {
    await pushTo("web");
    await pushTo("source");
  });

  for (const [method, title, make, names, done] of cases) {
    test(`${method} ${title}`, async () => {
      const actions = names.map((name) => `ecr:${name}`);
      const { path, ...sent } = await make();
      // Each one of them is needed; a mount without its source becomes an upload.
      for (const missing of actions) {
        grant(actions.filter((action) => action !== missing));
        const answer = await outcome(await send("jo", method, path, sent));
        if (missing === "ecr:GetDownloadUrlForLayer" && method === "POST") {
          expect(answer).toBe("202");
        } else {
          expect(answer).toStartWith("403");
          if (method !== "HEAD") expect(answer).toBe(refusal(missing, "web"));
        }
        const denials = records.filter(({ decision }) => decision === "denied");
        expect(denials.map(({ action }) => action)).toEqual([missing]);
      }
      grant(actions);
      expect(await outcome(await send("jo", method, path, sent))).toBe(done);
      expect(records.map(({ action, decision }) => `${action} ${decision}`)).toEqual(
        actions.map((action) => `${action} allowed`),
      );
    });
  }
});

test("the end of an upload without bytes needs no permission to send any", async () => {
  const path = await session("web");
  await send("root", "PATCH", path, { body: blob });
  grant(["ecr:CompleteLayerUpload"]);
  expect(
    await outcome(
      await send("jo", "PUT", `${path}?digest=${digest}`, { headers: { "Content-Length": "0" } }),
    ),
  ).toBe("201");
});

describe("a push to a repository that is missing", () => {
  const pushes: [string, string, Sent][] = [
    ["POST", "blobs/uploads/", {}],
    ["PUT", "manifests/v1", { body: manifest }],
    ["POST", `blobs/uploads/?mount=${digest}&from=source`, {}],
  ];
  test.each(pushes)("needs the permission to create it: %s %s", async (method, path, sent) => {
    const rights = ["ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:GetDownloadUrlForLayer"];
    const name = `new-${crypto.randomUUID()}`;
    grant(rights);
    expect(await outcome(await send("jo", method, `/v2/${name}/${path}`, sent))).toBe(
      refusal("ecr:CreateRepository", name),
    );
    expect(await outcome(await send("root", "GET", `/v2/${name}/tags/list`))).toStartWith("404");
    grant([...rights, "ecr:CreateRepository"]);
    await send("jo", method, `/v2/${name}/${path}`, sent);
    expect(records.map(({ action }) => action)).toContain("ecr:CreateRepository");
  });

  test("one that was there at the decision and is gone is not made anew", async () => {
    // What the handler then passes on: the decision, not a wish.
    const { startUpload } = await import("../../src/registry/start-upload.ts");
    await expect(
      startUpload(registry.context, {
        ...{ account, repository: "gone", actor: users.jo.arn, mayCreate: false },
      }),
    ).rejects.toThrow("repository_unknown");
  });
});

describe("permission comes before existence", () => {
  const missing = [
    ["GET", "/v2/absent/manifests/v1"],
    ["GET", "/v2/web/manifests/absent"],
    ["GET", `/v2/web/blobs/sha256:${"0".repeat(64)}`],
    ["GET", "/v2/absent/tags/list"],
    ["DELETE", "/v2/web/manifests/absent"],
    ["PATCH", "/v2/web/blobs/uploads/00000000-0000-4000-8000-000000000000"],
  ] as const;
  test.each(missing)("%s %s", async (method, path) => {
    const existing = path.replaceAll("absent", method === "DELETE" ? "v1" : "web");
    const refused = await outcome(await send("jo", method, path));
    expect(refused).toStartWith("403");
    // The same words, but for the name that was asked for.
    expect((await outcome(await send("jo", method, existing))).replaceAll("/web ", "/x ")).toBe(
      refused.replaceAll(/\/(?:web|absent) /g, "/x "),
    );
    grant(["ecr:*"]);
    expect(await outcome(await send("jo", method, path))).toStartWith("404");
  });

  test("a mount does not tell whether its source is there", async () => {
    grant(["ecr:InitiateLayerUpload"]);
    for (const from of ["source", "absent"]) {
      const path = `/v2/web/blobs/uploads/?mount=${digest}&from=${from}`;
      expect(await outcome(await send("jo", "POST", path))).toBe("202");
    }
  });

  test("a name that is malformed is that, for everybody", async () => {
    expect(await outcome(await send("jo", "GET", "/v2/WEB/tags/list"))).toStartWith("400");
  });
});

describe("several accounts", () => {
  const share = (actions: string[]) => ({
    repositoryPolicies: {
      [`${account}/web`]: policy({ Effect: "Allow", Principal: { AWS: partner }, Action: actions }),
    },
  });
  const pull = (headers = { Host: host }) =>
    send("kim", "GET", "/v2/web/manifests/v1", { headers });

  test("the account in the host name selects the registry, and its policies decide", async () => {
    expect(await outcome(await pull())).toBe(
      `403 DENIED User: ${users.kim.arn} is not authorized to perform: ecr:BatchGetImage on resource: ${arn("web")} because no resource-based policy allows the ecr:BatchGetImage action`,
    );
    grant([], "*", share(["ecr:BatchGetImage"]));
    const shared = await pull();
    expect(shared.headers.get("docker-content-digest")).toBe(manifestDigest);
    expect(
      await outcome(
        await send("kim", "GET", `/v2/web/blobs/${digest}`, {
          headers: { Host: host },
        }),
      ),
    ).toContain("because no resource-based policy");
    grant([]);
    expect(await outcome(await pull())).toStartWith("403");
    // Without an account in the name it is the caller's own registry.
    expect(await outcome(await pull({ Host: "localhost:5001" }))).toStartWith("404 NAME_UNKNOWN");
  });
});

test("the catalogue shows what the caller may pull, and leaves no trace for the rest", async () => {
  const catalogue = async (user: string) =>
    ((await (await send(user, "GET", "/v2/_catalog?n=1000")).json()) as { repositories: string[] })
      .repositories;
  expect(await catalogue("root")).toEqual(expect.arrayContaining(["source", "web"]));
  grant(["ecr:DescribeRepositories", "ecr:BatchGetImage"], arn("*"), {
    repositoryPolicies: { [`${account}/source`]: policy(deny("ecr:*", { Principal: "*" })) },
  });
  const seen = await catalogue("jo");
  expect(seen).toContain("web");
  expect(seen).not.toContain("source");
  expect(records.map(({ action }) => action)).toEqual(["ecr:DescribeRepositories"]);
  grant(["ecr:DescribeRepositories"], arn("web"));
  expect(await outcome(await send("jo", "GET", "/v2/_catalog"))).toBe(
    refusal("ecr:DescribeRepositories", "*"),
  );
});

test("the audit says who did what from where, and nothing of the credentials", async () => {
  grant(["ecr:BatchGetImage"]);
  await send("jo", "GET", "/v2/web/manifests/v1", { headers: { "User-Agent": "docker/27.0" } });
  expect(records).toEqual([
    {
      time: registry.clock.now(),
      principal: users.jo.arn,
      account,
      accessKeyId: null,
      action: "ecr:BatchGetImage",
      resource: arn("web"),
      decision: "allowed",
      reason: null,
      requestId: "test",
      sourceAddress: "127.0.0.1",
      userAgent: "docker/27.0",
    },
  ]);
  expect(JSON.stringify(records)).not.toContain("secret");
});
