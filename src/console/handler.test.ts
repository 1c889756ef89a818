import { afterAll, beforeAll, expect, test } from "bun:test";
import { allow, rootCredentials, type TestCredentials } from "../../tests/support/iam-client.ts";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { pushImage } from "../../tests/support/push-image.ts";
import { type ServedConsole, serveConsole } from "../../tests/support/served-console.ts";

const clock = manualClock();
let served: ServedConsole;
let root: string;
const account = "111122223333";
const layers = [new TextEncoder().encode("layer")];

beforeAll(async () => {
  served = await serveConsole({ clock });
  root = await served.signIn(rootCredentials(served.endpoint));
});
afterAll(async () => {
  expect(served.endpoint.unforeseen).toEqual([]);
  await served[Symbol.asyncDispose]();
});

async function answer(response: Promise<Response>) {
  const { status, headers } = await response;
  const text = await (await response).text();
  const body = text === "" ? undefined : JSON.parse(text);
  return { status, headers, body, code: body?.error?.code };
}

/** IAM by its door, as root. */
async function iam(operation: string, body: object) {
  const { status, body: result } = await answer(
    served.call(root, "POST", `iam/${operation}`, { body }),
  );
  expect([operation, status]).toEqual([operation, 200]);
  return result;
}

async function userWith(UserName: string, policy: string): Promise<TestCredentials> {
  await iam("CreateUser", { UserName });
  await iam("PutUserPolicy", { UserName, PolicyName: "inline", PolicyDocument: policy });
  const { AccessKey: key } = await iam("CreateAccessKey", { UserName });
  return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
}

test("the cookie is for this server's scripts and sites alone, and under TLS for TLS alone", async () => {
  const body = rootCredentials(served.endpoint);
  const plain = await served.call(undefined, "POST", "session", { body });
  const attributes = "; Path=/; HttpOnly; SameSite=Strict";
  expect(plain.headers.get("set-cookie")).toEndWith(attributes);
  expect(plain.headers.get("set-cookie")).toStartWith("portolan-us-east-1=");
  const secure = await served.call(undefined, "POST", "session", { body, secure: true });
  expect(secure.headers.get("set-cookie")).toStartWith("__Host-portolan-us-east-1=");
  expect(secure.headers.get("set-cookie")).toEndWith(`${attributes}; Secure`);
  // Another region of the same host has another cookie; this one opens nothing under its name.
  const other = root.replace("us-east-1", "eu-west-1");
  expect((await answer(served.call(other, "GET", "session"))).code).toBe("SignInRequired");
});

test("behind a proxy that ends TLS, the configured address is the console's own", async () => {
  await using proxied = await serveConsole({ endpoint: "https://registry.test" });
  const body = rootCredentials(proxied.endpoint);
  const from = (Origin: string) =>
    proxied.call(undefined, "POST", "session", {
      body,
      headers: { Origin, Host: "10.0.0.1:5001" },
    });
  const signedIn = await from("https://registry.test");
  expect(signedIn.headers.get("set-cookie")).toStartWith("__Host-portolan-us-east-1=");
  for (const origin of [
    "http://registry.test",
    "https://registry.test:8443",
    "https://evil.test",
  ]) {
    expect((await from(origin)).status).toBe(403);
  }
});

test("a session tells who is signed in", async () => {
  const { status, headers, body } = await answer(served.call(root, "GET", "session"));
  expect(status).toBe(200);
  expect(headers.get("cache-control")).toBe("no-store");
  expect(body.principal).toEqual({ arn: `arn:aws:iam::${account}:root`, account, kind: "root" });
  expect(JSON.stringify(body)).not.toContain(served.endpoint.root.secretAccessKey);
});

test("without a session, or with an invented one, nothing is told", async () => {
  for (const cookie of [undefined, "portolan-us-east-1=", `portolan-us-east-1=${"A".repeat(43)}`]) {
    for (const path of ["session", "repositories", "chart", "events", "nothing"]) {
      expect((await answer(served.call(cookie, "GET", path))).status).toBe(401);
    }
    const call = served.call(cookie, "POST", "ecr/DescribeRepositories", { body: {} });
    expect((await answer(call)).code).toBe("SignInRequired");
  }
});

test("what another site sends is refused, whatever cookie the browser adds", async () => {
  const forged: Record<string, string | undefined>[] = [
    { "X-Portolan-Console": undefined },
    { Origin: "http://evil.test" },
    { Origin: "null" },
    { Origin: "http://console.test:81" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "cross-site" },
  ];
  for (const headers of forged) {
    const body = { repositoryName: "forged" };
    const call = served.call(root, "POST", "ecr/CreateRepository", { body, headers });
    expect((await answer(call)).code).toBe("CrossSiteRequest");
    const out = served.call(root, "DELETE", "session", { headers });
    expect((await answer(out)).status).toBe(403);
    const signIn = { body: rootCredentials(served.endpoint), headers };
    expect((await answer(served.call(undefined, "POST", "session", signIn))).status).toBe(403);
  }
  // A form cannot send JSON.
  const headers = { "Content-Type": "text/plain" };
  const form = served.call(root, "POST", "ecr/CreateRepository", { body: {}, headers });
  expect((await answer(form)).code).toBe("InvalidInput");
});

test("every operation of ECR and IAM answers as it does to its own clients", async () => {
  const create = { body: { repositoryName: "team/app" } };
  const created = await answer(served.call(root, "POST", "ecr/CreateRepository", create));
  expect(created.body.repository.repositoryName).toBe("team/app");
  const again = await answer(served.call(root, "POST", "ecr/CreateRepository", create));
  expect(again.code).toBe("RepositoryAlreadyExistsException");
  const body = { MaxItems: 5, PathPrefix: null };
  const users = await answer(served.call(root, "POST", "iam/ListUsers", { body }));
  expect(users.body).toMatchObject({ Users: [], IsTruncated: false });
  const wrong = { body: { repositoryName: "Not A Name" } };
  const refused = await answer(served.call(root, "POST", "ecr/CreateRepository", wrong));
  expect(refused).toMatchObject({ status: 400, code: "InvalidParameterException" });
  for (const path of ["ecr/Nothing", "ecr/constructor", "ecr/CreateRepository/x", "ecr", "sts/x"]) {
    const call = served.call(root, "POST", path, { body: {} });
    expect((await answer(call)).code).toBe("UnknownEndpoint");
  }
  expect((await answer(served.call(root, "GET", "ecr/ListImages"))).status).toBe(405);
  expect((await answer(served.call(root, "POST", "chart", { body: {} }))).status).toBe(405);
});

test("a refusal names the action and the resource that are missing", async () => {
  const reader = allow("ecr:DescribeRepositories", `arn:aws:ecr:us-east-1:${account}:repository/*`);
  const cookie = await served.signIn(await userWith("reader", reader));
  expect((await answer(served.call(cookie, "GET", "repositories"))).status).toBe(200);
  const create = { body: { repositoryName: "mine" } };
  const refused = await answer(served.call(cookie, "POST", "ecr/CreateRepository", create));
  expect(refused.status).toBe(403);
  expect(refused.body.error).toMatchObject({
    code: "AccessDeniedException",
    action: "ecr:CreateRepository",
    resource: `arn:aws:ecr:us-east-1:${account}:repository/mine`,
  });
  // Whether it is there is not told to those who may not ask.
  for (const repository of ["team/app", "not-there"]) {
    const images = await answer(served.call(cookie, "GET", `images?repository=${repository}`));
    expect(images.body.error).toMatchObject({ action: "ecr:DescribeImages" });
    const events = await answer(served.call(cookie, "GET", `image?repository=${repository}&tag=v`));
    expect(events.status).toBe(403);
  }
  expect((await answer(served.call(cookie, "GET", "chart"))).body.error).toMatchObject({
    action: "ecr:DescribeRegistry",
    resource: "*",
  });
  const foreign = await answer(served.call(cookie, "GET", "repositories?account=999988887777"));
  expect(foreign.status).toBe(403);
});

test("a session ends with its key, its secret, its time, and wherever it is signed out", async () => {
  const credentials = await userWith("leaver", allow("ecr:*"));
  const status = async (cookie: string) =>
    (await answer(served.call(cookie, "GET", "session"))).status;

  const one = await served.signIn(credentials);
  const two = await served.signIn(credentials);
  const three = await served.signIn(credentials);
  const out = await served.call(one, "DELETE", "session", { body: {} });
  expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
  expect([await status(one), await status(two)]).toEqual([401, 200]);
  await served.call(two, "DELETE", "session", { body: { everywhere: true } });
  expect([await status(two), await status(three)]).toEqual([401, 401]);
  expect(await status(root)).toBe(200);

  const late = await served.signIn(credentials);
  clock.advance(29 * 60_000);
  const renewal = await answer(served.call(late, "POST", "session/renewal", { body: {} }));
  expect(renewal.body.expiresAt).toBe(clock.now() + 30 * 60_000);
  await served.call(root, "POST", "session/renewal", { body: {} });
  clock.advance(29 * 60_000);
  expect(await status(late)).toBe(200);
  clock.advance(60_000);
  expect(await status(late)).toBe(401);
  root = await served.signIn(rootCredentials(served.endpoint));

  const keyed = await served.signIn(credentials);
  const key = { UserName: "leaver", AccessKeyId: credentials.accessKeyId };
  await iam("UpdateAccessKey", { ...key, Status: "Inactive" });
  expect(await status(keyed)).toBe(401);
  await iam("UpdateAccessKey", { ...key, Status: "Active" });
  expect(await status(keyed)).toBe(200);
  await iam("DeleteAccessKey", key);
  expect(await status(keyed)).toBe(401);
});

test("no renewal goes beyond twelve hours", async () => {
  const cookie = await served.signIn(rootCredentials(served.endpoint));
  const begun = clock.now();
  let expiresAt = 0;
  for (let hours = 0; hours < 12; hours += 0.25) {
    const renewal = await answer(served.call(cookie, "POST", "session/renewal", { body: {} }));
    expiresAt = renewal.body.expiresAt;
    clock.advance(15 * 60_000);
  }
  expect(expiresAt).toBe(begun + 12 * 3_600_000);
  expect((await answer(served.call(cookie, "GET", "session"))).status).toBe(401);
  root = await served.signIn(rootCredentials(served.endpoint));
});

test("a role is assumed when its trust allows it, and left again", async () => {
  const credentials = await userWith("deployer", allow("sts:AssumeRole"));
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:user/deployer` },
        Action: "sts:AssumeRole",
      },
    ],
  });
  await iam("CreateRole", { RoleName: "pusher", AssumeRolePolicyDocument });
  const policy = { PolicyName: "p", PolicyDocument: allow("ecr:DescribeRepositories") };
  await iam("PutRolePolicy", { RoleName: "pusher", ...policy });
  const cookie = await served.signIn(credentials);
  expect((await answer(served.call(cookie, "GET", "repositories"))).status).toBe(403);
  const role = (roleArn: string) =>
    served.call(cookie, "POST", "session/role", { body: { roleArn, sessionName: "me" } });
  const unknown = await answer(role(`arn:aws:iam::${account}:role/other`));
  expect(unknown.body.error).toMatchObject({ action: "sts:AssumeRole" });
  expect((await answer(role(`arn:aws:iam::${account}:role/pusher`))).status).toBe(204);
  const { body } = await answer(served.call(cookie, "GET", "session"));
  expect(body.principal.arn).toBe(`arn:aws:sts::${account}:assumed-role/pusher/me`);
  expect(body.signedInArn).toBe(`arn:aws:iam::${account}:user/deployer`);
  expect((await answer(served.call(cookie, "GET", "repositories"))).status).toBe(200);
  await served.call(cookie, "DELETE", "session/role");
  expect((await answer(served.call(cookie, "GET", "repositories"))).status).toBe(403);
});

test("trying secrets is slowed down, per key and per address; the right one costs nothing", async () => {
  const right = rootCredentials(served.endpoint);
  for (let i = 0; i < 40; i++) await served.signIn(right);
  const attempt = (body: object) => answer(served.call(undefined, "POST", "session", { body }));
  const victim = { accessKeyId: "AKIAVICTIM0000000000", secretAccessKey: "guess" };
  const codes: string[] = [];
  for (let i = 0; i < 12; i++) codes.push((await attempt(victim)).code);
  expect(codes.slice(0, 10)).toEqual(Array(10).fill("SignInRefused"));
  const slowed = await attempt(victim);
  expect(slowed).toMatchObject({ status: 429, code: "TooManyAttempts" });
  expect(Number(slowed.headers.get("retry-after"))).toBeGreaterThan(0);
  // Other keys from the same address, until that is used up as well.
  for (let i = 0; i < 20; i++) {
    await attempt({ ...victim, accessKeyId: `AKIAOTHER${String(i).padStart(11, "0")}` });
  }
  expect((await attempt({ ...right, secretAccessKey: "wrong" })).status).toBe(429);
  clock.advance(10 * 60_000);
  expect((await attempt(victim)).code).toBe("SignInRefused");
  expect((await attempt(right)).status).toBe(204);
});

test("hostile input is refused before anything is looked at", async () => {
  root = await served.signIn(rootCredentials(served.endpoint));
  for (const query of ["limit=0", "limit=101", "limit=x", "after=x", "sort=size", "account=1"]) {
    const { code } = await answer(served.call(root, "GET", `repositories?${query}`));
    expect([query, code]).toEqual([query, "InvalidInput"]);
  }
  const long = { body: { accessKeyId: "x".repeat(70_000), secretAccessKey: "x" } };
  expect((await answer(served.call(undefined, "POST", "session", long))).status).toBe(413);
  for (const text of ["[]", "null", "{", "1"]) {
    const request = new Request("http://console.test/console/api/session", {
      method: "POST",
      headers: { "X-Portolan-Console": "1", "Content-Type": "application/json" },
      body: text,
    });
    const { status } = await served.handler(request, served.endpoint.context());
    expect(status).toBe(400);
  }
  let nested: object = {};
  for (let i = 0; i < 50; i++) nested = { a: nested };
  const deep = served.call(root, "POST", "iam/ListUsers", { body: nested });
  expect((await answer(deep)).code).toBe("InvalidInput");
});

test("repositories and images are found, sorted and paged by the server", async () => {
  const { registry } = served.endpoint;
  for (const tag of ["v1", "v2", "latest"]) {
    await pushImage(registry, { repository: "web/shop", tags: [tag], layers });
  }
  const page = async (query: string) => (await answer(served.call(root, "GET", query))).body;
  const first = await page("repositories?limit=1&search=E");
  expect(first).toMatchObject({ count: 2, repositories: [{ name: "team/app", images: 0 }] });
  const second = await page(`repositories?limit=1&search=E&after=${first.next}`);
  expect(second.repositories).toMatchObject([{ name: "web/shop", tagMutability: "MUTABLE" }]);
  expect(second.next).toBeUndefined();
  const images = await page("images?repository=web/shop&search=lat");
  expect(images.images[0].tags).toContain("latest");
  const missing = await answer(served.call(root, "GET", "images?repository=no/where"));
  expect(missing.code).toBe("RepositoryNotFoundException");
  const image = await page(`image?repository=web/shop&digest=${images.images[0].digest}`);
  expect(image.layers).toMatchObject([{ bytes: 5 }]);
  const places = await page("image-places?repository=web/shop&tag=latest");
  expect(places).toEqual({ here: "us-east-1", places: [] });
});

test("the pages say so when they are not there", async () => {
  const request = new Request("http://console.test/console/");
  const response = await served.handler(request, served.endpoint.context());
  expect(response.status).toBe(503);
  expect(served.endpoint.unforeseen.splice(0)).toHaveLength(1);
});
