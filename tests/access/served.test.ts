/** A real server, the real SDKs, several principals of two accounts; then its audit. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as ecr from "@aws-sdk/client-ecr";
import * as iam from "@aws-sdk/client-iam";
import { runCommandLine } from "../support/command-context.ts";
import { type Credentials, type ServerProcess, startServer } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

setDefaultTimeout(60_000);

const account = "111122223333";
const partner = "444455556666";
const arn = (name: string) => `arn:aws:ecr:us-east-1:${account}:repository/${name}`;
const directory = temporaryDirectory();
const data = ["--data", directory.path];
let server: ServerProcess;
let jo: Credentials;
let partnerRoot: Credentials;

const options = (credentials: Credentials) => ({
  endpoint: server.endpoint,
  region: "us-east-1",
  credentials,
  maxAttempts: 1,
});
const ecrOf = (credentials: Credentials) => new ecr.ECRClient(options(credentials));
const iamOf = (credentials: Credentials) => new iam.IAMClient(options(credentials));
const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

async function portolan(...commandLine: string[]) {
  const { exitCode, stdout, stderr } = await runCommandLine(commandLine, directory.path);
  return { exitCode, stdout, stderr };
}

async function audit(...flags: string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, stdout, stderr } = await portolan("audit", ...data, ...flags);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function userWith(root: Credentials, UserName: string, ...statements: object[]) {
  const client = iamOf(root);
  await client.send(new iam.CreateUserCommand({ UserName }));
  await client.send(
    new iam.PutUserPolicyCommand({
      UserName,
      PolicyName: "own",
      PolicyDocument: policy(...statements),
    }),
  );
  const { AccessKey } = await client.send(new iam.CreateAccessKeyCommand({ UserName }));
  return {
    accessKeyId: AccessKey?.AccessKeyId ?? "",
    secretAccessKey: AccessKey?.SecretAccessKey ?? "",
  };
}

async function refusal(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => "accepted",
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

async function ask(credentials: Credentials, path: string, init: RequestInit = {}) {
  const { authorizationData } = await ecrOf(credentials).send(
    new ecr.GetAuthorizationTokenCommand(),
  );
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Basic ${authorizationData?.[0]?.authorizationToken}`);
  return fetch(`${server.endpoint}/v2/${path}`, { ...init, headers });
}

beforeAll(async () => {
  server = await startServer({ dataDirectory: directory.path });
  jo = await userWith(
    server.credentials,
    "jo",
    { Sid: "Login", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    {
      Sid: "OwnTeam",
      Effect: "Allow",
      Action: ["ecr:CreateRepository", "ecr:TagResource", "ecr:DescribeRepositories"],
      Resource: arn("*"),
      Condition: { StringEquals: { "aws:RequestTag/team": "blue" } },
    },
    {
      Sid: "Blue",
      Effect: "Allow",
      Action: "ecr:*",
      Resource: arn("*"),
      Condition: { StringEquals: { "ecr:ResourceTag/team": "blue" } },
    },
    { Sid: "NeverDelete", Effect: "Deny", Action: "ecr:DeleteRepository", Resource: "*" },
  );
  const made = await portolan("account", "create", partner, "--json", ...data);
  partnerRoot = JSON.parse(made.stdout) as Credentials;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  directory.remove();
});

describe("attribute-based access", () => {
  const create = (repositoryName: string, tags: ecr.Tag[] = []) =>
    ecrOf(jo).send(new ecr.CreateRepositoryCommand({ repositoryName, tags }));
  const team = (Value: string) => [{ Key: "team", Value }];

  test("the tags of a request decide what may be created", async () => {
    expect(await refusal(create("blue-app", team("blue")))).toBe("accepted");
    const denied = (name: string) =>
      `AccessDeniedException: User: arn:aws:iam::${account}:user/jo is not authorized to perform: ecr:CreateRepository on resource: ${arn(name)} because no identity-based policy allows the ecr:CreateRepository action`;
    expect(await refusal(create("red-app", team("red")))).toBe(denied("red-app"));
    expect(await refusal(create("grey-app"))).toBe(denied("grey-app"));
  });

  test("the tags of a repository decide who may use it, and a change counts at once", async () => {
    const root = ecrOf(server.credentials);
    await root.send(new ecr.CreateRepositoryCommand({ repositoryName: "red", tags: team("red") }));
    const begin = async (name: string) =>
      (await ask(jo, `${name}/blobs/uploads/`, { method: "POST" })).status;
    expect(await begin("blue-app")).toBe(202);
    expect(await begin("red")).toBe(403);
    await root.send(new ecr.TagResourceCommand({ resourceArn: arn("red"), tags: team("blue") }));
    expect(await begin("red")).toBe(202);
    await root.send(new ecr.UntagResourceCommand({ resourceArn: arn("red"), tagKeys: ["team"] }));
    expect(await begin("red")).toBe(403);
  });

  test("a deny wins over all of it", async () => {
    const remove = new ecr.DeleteRepositoryCommand({ repositoryName: "blue-app" });
    expect(await refusal(ecrOf(jo).send(remove))).toEndWith(
      "with an explicit deny in an identity-based policy",
    );
  });
});

test("across accounts: allowed by a repository policy, refused before and after", async () => {
  const name = "shared";
  const root = ecrOf(server.credentials);
  await root.send(new ecr.CreateRepositoryCommand({ repositoryName: name }));
  const kim = await userWith(partnerRoot, "kim", {
    Effect: "Allow",
    Action: ["ecr:GetAuthorizationToken", "ecr:ListImages"],
    Resource: "*",
  });
  const tags = async (credentials: Credentials) => {
    const response = await ask(credentials, `${name}/tags/list`, {
      headers: { Host: `${account}.dkr.ecr.us-east-1.example.com` },
    });
    return response.status;
  };
  const images = (credentials: Credentials) =>
    refusal(
      ecrOf(credentials).send(
        new ecr.ListImagesCommand({ repositoryName: name, registryId: account }),
      ),
    );
  const unshared = `because no resource-based policy allows the ecr:ListImages action`;
  expect(await tags(kim)).toBe(403);
  expect(await images(kim)).toEndWith(unshared);
  await root.send(
    new ecr.SetRepositoryPolicyCommand({
      repositoryName: name,
      policyText: policy({
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${partner}:root` },
        Action: "ecr:ListImages",
      }),
    }),
  );
  expect(await tags(kim)).toBe(200);
  expect(await images(kim)).toBe("accepted");
  expect(await images(partnerRoot)).toBe("accepted");
  const missing = ecrOf(kim).send(
    new ecr.ListImagesCommand({ repositoryName: "missing", registryId: account }),
  );
  // Nothing tells whether it exists.
  expect(await refusal(missing)).toEndWith(unshared);
  await root.send(new ecr.DeleteRepositoryPolicyCommand({ repositoryName: name }));
  expect(await tags(kim)).toBe(403);
  expect(await images(kim)).toEndWith(unshared);
});

describe("portolan access explain", () => {
  const explain = (...flags: string[]) => portolan("access", "explain", ...data, ...flags);
  const asJo = ["--principal", `arn:aws:iam::${account}:user/jo`];

  test("names what allows, with the values that conditions saw", async () => {
    const ask = [...asJo, "--action", "ecr:PutImage", "--resource", "blue-app"];
    const { exitCode, stdout } = await explain(...ask);
    expect(exitCode).toBe(0);
    expect(
      stdout,
    ).toBe(`allowed: arn:aws:iam::${account}:user/jo may ecr:PutImage on ${arn("blue-app")}
  by statement Blue of the identity-based policy inline policy own of user jo

identity-based policy inline policy own of user jo
  Allow Login: does not apply: it is about other actions
  Allow OwnTeam: does not apply: it is about other actions
  Allow Blue: applies
        StringEquals ecr:ResourceTag/team ["blue"]: holds, the request has "blue"
  Deny  NeverDelete: does not apply: it is about other actions
`);
  });

  test("names what denies, and ends with 1", async () => {
    const ask = [...asJo, "--action", "ecr:DeleteRepository", "--resource", "blue-app", "--json"];
    const { exitCode, stdout } = await explain(...ask);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      decision: "denied",
      message: `User: arn:aws:iam::${account}:user/jo is not authorized to perform: ecr:DeleteRepository on resource: ${arn("blue-app")} with an explicit deny in an identity-based policy`,
      by: { kind: "identity", statement: "NeverDelete" },
    });
  });

  test("takes keys of the request", async () => {
    const ask = [...asJo, "--action", "ecr:CreateRepository", "--resource", "x"];
    expect((await explain(...ask)).exitCode).toBe(1);
    expect((await explain(...ask, "--context", "aws:RequestTag/team=blue")).exitCode).toBe(0);
    const { stdout } = await explain(...ask, "--context", "aws:requesttag/TEAM=red");
    expect(stdout).toContain(
      'StringEquals aws:RequestTag/team ["blue"]: does not hold, the request has "red"',
    );
  });

  test("knows roots, and says what it does not know", async () => {
    const asked = ["--action", "ecr:PutImage", "--resource", "x"];
    expect((await explain("--principal", account, ...asked)).stdout).toStartWith("allowed:");
    const gone = await explain("--principal", `arn:aws:iam::${account}:user/gone`, ...asked);
    expect(gone).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `there is no user and no role arn:aws:iam::${account}:user/gone\n`,
    });
    const wrong = ["--action", "PutImage", "--resource", "x"];
    expect((await explain("--principal", account, ...wrong)).exitCode).toBe(2);
    const bad = await explain("--principal", account, ...asked, "--context", "team");
    expect(bad.exitCode).toBe(2);
  });
});

describe("the audit", () => {
  test("has every call, with who asked for what from where", async () => {
    const since = new Date(Date.now() - 1).toISOString();
    const response = await ask(jo, "blue-app/tags/list", { headers: { "User-Agent": "curl/8" } });
    const requestId = response.headers.get("x-request-id");
    await refusal(ecrOf(jo).send(new ecr.DeleteRepositoryCommand({ repositoryName: "blue-app" })));
    // A refusal takes along what waits.
    const records = await audit("--since", since);
    expect(records.map(({ action, decision }) => `${action} ${decision}`)).toEqual([
      "ecr:GetAuthorizationToken allowed",
      "ecr:ListImages allowed",
      "ecr:DeleteRepository denied",
    ]);
    expect(records[1]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      requestId,
      sourceAddress: "127.0.0.1",
      userAgent: "curl/8",
      principal: `arn:aws:iam::${account}:user/jo`,
      account,
      accessKeyId: jo.accessKeyId,
      decision: "allowed",
      action: "ecr:ListImages",
      resource: arn("blue-app"),
      reason: null,
    });
  });

  test("is filtered by principal, action and decision", async () => {
    const denied = await audit("--denied");
    expect(denied.length).toBeGreaterThan(5);
    expect(new Set(denied.map(({ decision }) => decision))).toEqual(new Set(["denied"]));
    const kim = `arn:aws:iam::${partner}:user/kim`;
    const ofKim = await audit("--principal", kim, "--action", "ecr:ListImages");
    expect(new Set(ofKim.map(({ principal, action }) => `${principal} ${action}`))).toEqual(
      new Set([`${kim} ecr:ListImages`]),
    );
    expect(await audit("--limit", "2")).toHaveLength(2);
    expect(await audit("--until", "2020-01-01", "--since", "2019-01-01")).toEqual([]);
  });

  test("has no secret in it", async () => {
    const everything = JSON.stringify(await audit("--since", "1d"));
    expect(everything).toContain("iam:CreateAccessKey");
    for (const { secretAccessKey } of [jo, partnerRoot, server.credentials]) {
      expect(everything).not.toContain(secretAccessKey);
    }
    // Nor a part of a token.
    expect(everything).not.toContain("QVdTOjEu");
  });

  test("loses no refusal and no change when the server is killed", async () => {
    const since = new Date().toISOString();
    const names: string[] = [];
    for (let n = 0; n < 20; n++) {
      const name = `killed-${n}`;
      await ask(server.credentials, `${name}/blobs/uploads/`, { method: "POST" });
      await ask(jo, `red/tags/list`);
      names.push(name);
    }
    await server.kill();
    const records = await audit("--since", since);
    const of = (wanted: string) => records.filter(({ action }) => action === wanted);
    expect(of("ecr:CreateRepository").map(({ resource }) => resource)).toEqual(names.map(arn));
    expect(of("ecr:InitiateLayerUpload")).toHaveLength(20);
    expect(of("ecr:ListImages").filter(({ decision }) => decision === "denied")).toHaveLength(20);
    await server.start();
  });

  test("is complete when the server was told to stop", async () => {
    const since = new Date().toISOString();
    for (let n = 0; n < 5; n++) await ask(jo, "blue-app/tags/list");
    expect(await server.stop()).toBe(0);
    const records = await audit("--since", since, "--action", "ecr:ListImages");
    expect(records).toHaveLength(5);
    await server.start();
  });
});
