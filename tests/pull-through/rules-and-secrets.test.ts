/** Rules and their credentials through the AWS SDKs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  CreatePullThroughCacheRuleCommand,
  DeletePullThroughCacheRuleCommand,
  DescribePullThroughCacheRulesCommand,
  UpdatePullThroughCacheRuleCommand,
  ValidatePullThroughCacheRuleCommand,
} from "@aws-sdk/client-ecr";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretCommand,
} from "@aws-sdk/client-secrets-manager";
import { type CacheWorld, cacheWorld, upstreamImage } from "../support/cache-world.ts";
import { refusal } from "../support/ecr-client.ts";
import {
  type HostileUpstream,
  hostileUpstream,
  imageAnswers,
} from "../support/hostile-upstream.ts";
import { noise } from "../support/push-image.ts";

let upstream: HostileUpstream;
let world: CacheWorld;
let secrets: SecretsManagerClient;
beforeEach(async () => {
  upstream = hostileUpstream();
  world = await cacheWorld(upstream.host, { withoutRule: true });
  const { url, region, root } = world.endpoint;
  secrets = new SecretsManagerClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: root.id, secretAccessKey: root.secretAccessKey },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  secrets.destroy();
  await world[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

const create = (prefix: string, more: object = {}) =>
  world.ecr.send(
    new CreatePullThroughCacheRuleCommand({
      ecrRepositoryPrefix: prefix,
      upstreamRegistryUrl: upstream.host,
      ...more,
    }),
  );

test("rules are made, listed, changed and deleted", async () => {
  expect(await create("one/")).toMatchObject({
    ecrRepositoryPrefix: "one",
    upstreamRegistryUrl: upstream.host,
    upstreamRepositoryPrefix: "ROOT",
  });
  await create("two", { upstreamRepositoryPrefix: "library" });
  await create("k8s", { upstreamRegistryUrl: "https://registry.k8s.io" });
  expect((await refusal(create("two"))).name).toBe("PullThroughCacheRuleAlreadyExistsException");
  const first = await world.ecr.send(new DescribePullThroughCacheRulesCommand({ maxResults: 2 }));
  const { nextToken } = first;
  const second = await world.ecr.send(new DescribePullThroughCacheRulesCommand({ nextToken }));
  const all = [...(first.pullThroughCacheRules ?? []), ...(second.pullThroughCacheRules ?? [])];
  expect(all.map((rule) => rule.ecrRepositoryPrefix)).toEqual(["k8s", "one", "two"]);
  expect(all[0]?.upstreamRegistry).toBe("k8s");
  expect(all[0]?.createdAt).toBeInstanceOf(Date);
  await world.ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "one" }));
  const gone = new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes: ["one"] });
  expect((await refusal(world.ecr.send(gone))).name).toBe("PullThroughCacheRuleNotFoundException");
});

test("upstreams that nobody allowed, prefixes and secrets that are none, are refused", async () => {
  const names = await Promise.all(
    [
      create("a1", { upstreamRegistryUrl: "registry.example.com" }),
      create("a2", { upstreamRegistryUrl: "169.254.169.254" }),
      create("a3", { upstreamRegistryUrl: "registry-1.docker.io" }),
      create("a4", { upstreamRegistryUrl: "quay.io", upstreamRegistry: "k8s" }),
      create("ROOT", { upstreamRepositoryPrefix: "library" }),
      create("Upper"),
      create("a5", {
        credentialArn: "arn:aws:secretsmanager:us-east-1:111122223333:secret:other/x-123456",
      }),
      create("a6", {
        credentialArn: `arn:aws:secretsmanager:us-east-1:${world.endpoint.account}:secret:ecr-pullthroughcache/none-123456`,
      }),
    ].map(async (answer) => (await refusal(answer)).name),
  );
  expect(names).toEqual([
    "UnsupportedUpstreamRegistryException",
    "UnsupportedUpstreamRegistryException",
    "ValidationException",
    "UnsupportedUpstreamRegistryException",
    "ValidationException",
    "InvalidParameterException",
    "InvalidParameterException",
    "SecretNotFoundException",
  ]);
  expect(upstream.requests).toEqual([]);
});

test("a secret has versions, can be deleted and restored, and its value is stored encrypted", async () => {
  const Name = "ecr-pullthroughcache/hub";
  const made = await secrets.send(new CreateSecretCommand({ Name, SecretString: "first-value" }));
  expect(made.ARN).toMatch(/:secret:ecr-pullthroughcache\/hub-[A-Za-z0-9]{6}$/);
  const value = async (more: object = {}) =>
    (await secrets.send(new GetSecretValueCommand({ SecretId: Name, ...more }))).SecretString;
  expect(await value()).toBe("first-value");
  await secrets.send(
    new PutSecretValueCommand({ SecretId: made.ARN, SecretString: "second-value" }),
  );
  expect(await value()).toBe("second-value");
  expect(await value({ VersionStage: "AWSPREVIOUS" })).toBe("first-value");
  await secrets.send(new UpdateSecretCommand({ SecretId: Name, Description: "for the hub" }));
  expect(await secrets.send(new DescribeSecretCommand({ SecretId: Name }))).toMatchObject({
    Name,
    Description: "for the hub",
  });
  expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toHaveLength(1);
  const rows = await world.endpoint.registry.metadata.read.all("select value from documents", []);
  expect(JSON.stringify(rows)).not.toContain("second-value");
  await secrets.send(new DeleteSecretCommand({ SecretId: Name, RecoveryWindowInDays: 7 }));
  expect((await refusal(value())).name).toBe("InvalidRequestException");
  await secrets.send(new RestoreSecretCommand({ SecretId: Name }));
  expect(await value()).toBe("second-value");
  await secrets.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
  expect((await refusal(value())).name).toBe("ResourceNotFoundException");
});

test("Basic and Bearer challenges are answered with the rule's secret, and with nothing else", async () => {
  const image = upstreamImage("app", "1", noise("private", 500));
  const answers = imageAnswers(image);
  const expected = `Basic ${btoa("robot:hunter2")}`;
  let scheme: "basic" | "bearer" = "bearer";
  upstream.answer = (path, request) => {
    const given = request.headers.get("authorization");
    if (path === "/token") {
      return given === expected
        ? Response.json({ token: "t0ken", expires_in: 300 })
        : new Response(null, { status: 401 });
    }
    if (given === (scheme === "basic" ? expected : "Bearer t0ken")) {
      return path === "/v2/" ? Response.json({}) : answers(path);
    }
    const challenge =
      scheme === "basic"
        ? 'Basic realm="x"'
        : `Bearer realm="http://${upstream.host}/token",service="up",scope="repository:app:pull"`;
    return new Response(null, { status: 401, headers: { "WWW-Authenticate": challenge } });
  };
  const { ARN: credentialArn } = await secrets.send(
    new CreateSecretCommand({
      Name: "ecr-pullthroughcache/robot",
      SecretString: JSON.stringify({ username: "robot", accessToken: "hunter2" }),
    }),
  );
  await create("bare");
  const validate = (ecrRepositoryPrefix: string) =>
    world.ecr.send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix }));
  expect(await validate("bare")).toMatchObject({ isValid: false });
  expect((await world.pull("/v2/bare/app/manifests/1")).status).toBe(403);
  await create("with", { credentialArn });
  expect(await validate("with")).toMatchObject({ isValid: true });
  expect((await world.pull("/v2/with/app/manifests/1")).status).toBe(200);
  scheme = "basic";
  await world.ecr.send(
    new UpdatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bare", credentialArn }),
  );
  expect((await world.pull("/v2/bare/app/manifests/1")).status).toBe(200);
});
