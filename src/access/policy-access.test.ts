/** Policies in a database: when a change counts, and what is recorded. */
import { expect, test } from "bun:test";
import { accessRequest, facts, userPrincipal } from "../../tests/support/access-request.ts";
import { auditInto } from "../../tests/support/audit-records.ts";
import { type ManualClock, manualClock } from "../../tests/support/manual-clock.ts";
import { allow, deny, policy, worldAccess } from "../../tests/support/policy-world.ts";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { memoryBlobStore } from "../blobs/memory.ts";
import { verified } from "../blobs/verified.ts";
import { sqliteMetadataStore } from "../metadata/sqlite.ts";
import { defaultRegistrySettings, type RegistryContext } from "../registry/context.ts";
import { changeDocument, type DocumentKind } from "../registry/documents.ts";
import { hybridClock } from "../registry/hybrid-clock.ts";
import { keyedMutex } from "../registry/keyed-mutex.ts";
import {
  accountSettingKind,
  registryPolicyKind,
  registryPolicyName,
  registryPolicyScopeSetting,
} from "../registry/policy-kinds.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "../registry/repository-documents.ts";
import { systemRandom } from "../runtime/clock.ts";
import { type RequestFacts, repositoryArn } from "./access.ts";
import { type AuditRecord, noAudit } from "./audit.ts";
import { rootPrincipal } from "./credentials.ts";
import { accessKeyKind } from "./identities/identity-documents.ts";
import { type PolicyAccess, policyAccess } from "./policy-access.ts";
import { documentResourceSource } from "./policy-documents.ts";
import { noIdentities } from "./policy-source.ts";

const account = "111122223333";
const partner = rootPrincipal("444455556666");
const web = repositoryArn("us-east-1", account, "web");

interface Process extends AsyncDisposable {
  readonly access: PolicyAccess;
  readonly context: RegistryContext;
  write<Value>(kind: DocumentKind<Value>, name: string, value: Value | undefined): Promise<void>;
  /** How often what was authenticated had to be authenticated again. */
  keyChanges(): number;
  allowed(action: string, resource?: string): Promise<boolean>;
}

/** One of several processes on the same database. */
async function process(path: string, clock: ManualClock): Promise<Process> {
  const metadata = await sqliteMetadataStore({ path, now: clock.now() });
  let keyChanges = 0;
  const access = policyAccess({
    authenticateBasic: Object.assign(async () => ({ failure: "missing" }) as const, {
      forgetAll: () => {
        keyChanges++;
      },
    }),
    source: { ...documentResourceSource(metadata), ...noIdentities },
    audit: noAudit,
    journal: metadata.read,
    clock,
    region: "us-east-1",
  });
  const context: RegistryContext = {
    region: "us-east-1",
    metadata,
    blobs: verified(memoryBlobStore()),
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: defaultRegistrySettings,
    observers: [access.observer],
    uploadMutex: keyedMutex(),
  };
  return {
    access,
    context,
    async write(kind, name, value) {
      await metadata.transaction((tx) =>
        changeDocument(context, tx, kind, { account, name, actor: "test" }, () => value),
      );
    },
    keyChanges: () => keyChanges,
    async allowed(action, resource = web) {
      return (await access.decide(accessRequest(partner, action, resource))).allowed;
    },
    [Symbol.asyncDispose]: () => metadata.close(),
  };
}

const share = (action: string, rest: object = {}) => ({
  policyText: JSON.stringify(policy(allow(action, { Principal: "*", ...rest }))),
});

test("a change counts from its commit on, and elsewhere within a second", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/metadata.sqlite`;
  const clock = manualClock();
  await using here = await process(path, clock);
  await using there = await process(path, clock);
  const pull = "ecr:BatchGetImage";
  const both = async () => [await here.allowed(pull), await there.allowed(pull)];
  expect(await both()).toEqual([false, false]);

  const changes: [() => Promise<void>, boolean][] = [
    [() => here.write(repositoryPolicyKind, "web", share("ecr:*")), true],
    [() => here.write(repositoryPolicyKind, "web", undefined), false],
    [() => here.write(registryPolicyKind, registryPolicyName, share("ecr:*")), true],
    [() => here.write(accountSettingKind, registryPolicyScopeSetting, { value: "V1" }), false],
    [() => here.write(accountSettingKind, registryPolicyScopeSetting, { value: "V2" }), true],
    [() => here.write(registryPolicyKind, registryPolicyName, undefined), false],
    [
      () =>
        here.write(
          repositoryPolicyKind,
          "web",
          share("ecr:*", { Condition: { StringEquals: { "ecr:ResourceTag/open": "yes" } } }),
        ),
      false,
    ],
    [() => here.write(repositoryTagsKind, "web", { open: "yes" }), true],
    [() => here.write(repositoryTagsKind, "web", { open: "no" }), false],
  ];
  let before = false;
  for (const [change, expected] of changes) {
    await change();
    // The other process has just looked, and looks again when a second has passed.
    expect(await both()).toEqual([expected, before]);
    before = expected;
    clock.advance(1000);
    expect(await both()).toEqual([expected, expected]);
  }
});

test("a key that changes ends the trust in it, here and elsewhere", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/metadata.sqlite`;
  const clock = manualClock();
  await using here = await process(path, clock);
  await using there = await process(path, clock);
  for (const { access } of [here, there]) await access.authenticateBasic(null);
  const key = {
    userName: "jo",
    userId: "AIDA",
    secret: "",
    status: "Inactive",
    createdAt: 0,
  } as const;
  await here.write(accessKeyKind, "AKIAABCDEFGHIJKLMNOP", key);
  clock.advance(1000);
  for (const { access } of [here, there]) await access.authenticateBasic(null);
  // The writer sees its own change in the journal too, which does no harm.
  expect([here.keyChanges() > 0, there.keyChanges()]).toEqual([true, 1]);
});

test("very many changes at once are seen too", async () => {
  using directory = temporaryDirectory();
  const path = `${directory.path}/metadata.sqlite`;
  const clock = manualClock();
  await using here = await process(path, clock);
  await using there = await process(path, clock);
  expect(await there.allowed("ecr:BatchGetImage")).toBe(false);
  await here.context.metadata.transaction(async (tx) => {
    for (let n = 0; n <= 1200; n++) {
      const target = { account, name: n === 1200 ? "web" : `r${n}`, actor: "test" };
      await changeDocument(here.context, tx, repositoryPolicyKind, target, () => share("ecr:*"));
    }
  });
  clock.advance(1000);
  expect(await there.allowed("ecr:BatchGetImage")).toBe(true);
});

test("decisions ask the source once for everything, whatever is asked how often", async () => {
  const jo = userPrincipal(account, "jo");
  const world = worldAccess({
    identities: [{ principal: jo, policies: [policy(allow("ecr:*"))] }],
  });
  for (let n = 0; n < 50; n++) {
    expect(await world.decide(jo, "ecr:BatchGetImage", web)).toBe("allowed");
    expect(await world.decide(jo, "ecr:PutImage", web)).toBe("allowed");
  }
  expect(world.loads).toEqual({ identities: 1, repositories: 1, registries: 1 });
  // What has nothing to do with ECR needs no policy of a registry.
  await world.decide(jo, "iam:CreateUser", `arn:aws:iam::${account}:user/x`);
  expect(world.loads).toEqual({ identities: 1, repositories: 1, registries: 1 });
});

test("a call is recorded once for each action, a refused one for what it lacks", async () => {
  const records: AuditRecord[] = [];
  const jo = { ...userPrincipal(account, "jo"), accessKeyId: "AKIAABCDEFGHIJKLMNOP" };
  const { access } = worldAccess(
    {
      identities: [
        {
          principal: jo,
          policies: [policy(allow(["ecr:PutImage", "ecr:BatchGetImage"]), deny("ecr:Tag*"))],
        },
      ],
    },
    { audit: auditInto(records) },
  );
  const authorize = (...actions: string[]) => {
    records.length = 0;
    return access.authorize(
      { principal: jo, request: facts({ userAgent: "aws-cli/2" }) },
      actions.map((action) => ({ action, resource: web })),
    );
  };
  expect((await authorize("ecr:PutImage", "ecr:BatchGetImage")).allowed).toBe(true);
  expect(records.map(({ action, decision }) => [action, decision])).toEqual([
    ["ecr:PutImage", "allowed"],
    ["ecr:BatchGetImage", "allowed"],
  ]);
  const refused = await authorize("ecr:PutImage", "ecr:TagResource");
  expect(records).toEqual([
    {
      time: facts().time,
      principal: jo.arn,
      account,
      accessKeyId: "AKIAABCDEFGHIJKLMNOP",
      action: "ecr:TagResource",
      resource: web,
      decision: "denied",
      reason: refused.message,
      requestId: facts().requestId,
      sourceAddress: "192.0.2.1",
      userAgent: "aws-cli/2",
    },
  ]);
  await access.decide(accessRequest(jo, "ecr:PutImage", web));
  expect(records).toHaveLength(1);
});

test("a call does not go on before it is recorded, and not at all when it cannot be", async () => {
  const recorded = Promise.withResolvers<void>();
  const { access } = worldAccess({}, { audit: { record: () => recorded.promise } });
  const root = rootPrincipal(account);
  const decision = access.authorize({ principal: root, request: facts() }, [
    { action: "ecr:PutImage", resource: web },
  ]);
  expect(await Promise.race([decision, Bun.sleep(20)])).toBeUndefined();
  recorded.reject(new Error("the disk is full"));
  await expect(decision).rejects.toThrow("the disk is full");
});

test("a stored policy that cannot be read stops what it is about, and says which it is", async () => {
  const { access } = worldAccess({
    repositoryPolicies: { [`${account}/web`]: { Version: "2031-01-01", Statement: [] } },
  });
  const root = rootPrincipal(account);
  await expect(access.decide(accessRequest(root, "ecr:PutImage", web))).rejects.toThrow(
    "the stored policy repository policy of web cannot be read",
  );
  const other = repositoryArn("us-east-1", account, "other");
  expect((await access.decide(accessRequest(root, "ecr:PutImage", other))).allowed).toBe(true);
});

test("what one request was allowed, another is not, when a condition tells them apart", async () => {
  const jo = userPrincipal(account, "jo");
  const keys: [object, Partial<RequestFacts>][] = [
    [{ IpAddress: { "aws:SourceIp": "192.0.2.0/24" } }, { sourceAddress: "198.51.100.1" }],
    [{ Bool: { "aws:SecureTransport": "true" } }, { secure: false }],
    [{ DateLessThan: { "aws:CurrentTime": "2027-06-01" } }, { time: Date.parse("2027-06-01") }],
    [{ NumericLessThan: { "aws:EpochTime": "1800000001" } }, { time: 1_800_000_002_000 }],
    [{ Null: { "aws:UserAgent": "true" } }, { userAgent: "docker" }],
    [{ Null: { "aws:Referer": "true" } }, { referer: "https://example.com" }],
    [{ Null: { "aws:SourceVpce": "true" } }, { endpoint: { id: "vpce-1" } }],
    [{ Null: { "aws:SourceVpc": "true" } }, { endpoint: { id: "vpce-1", network: "vpc-1" } }],
    [{ Null: { "aws:VpcSourceIp": "true" } }, { endpoint: { id: "vpce-1" } }],
  ];
  for (const [Condition, other] of keys) {
    const world = worldAccess({
      identities: [{ principal: jo, policies: [policy(allow("ecr:*", { Condition }))] }],
    });
    const ask = (request = facts()) => world.decide(jo, "ecr:PutImage", web, { request });
    for (let n = 0; n < 2; n++) {
      expect({ Condition, decision: await ask() }).toEqual({ Condition, decision: "allowed" });
      expect({ Condition, decision: await ask(facts(other)) }).toEqual({
        Condition,
        decision: "because no identity-based policy",
      });
    }
  }
});

test("keys that an operation gives are looked at in every call", async () => {
  const jo = userPrincipal(account, "jo");
  const Condition = { StringEquals: { "aws:RequestTag/team": "blue" } };
  const world = worldAccess({
    identities: [{ principal: jo, policies: [policy(allow("ecr:*", { Condition }))] }],
  });
  const ask = (team?: string) =>
    world.decide(jo, "ecr:CreateRepository", web, {
      ...(team !== undefined && { conditions: { "aws:RequestTag/team": team } }),
    });
  for (let n = 0; n < 2; n++) {
    expect(await ask("blue")).toBe("allowed");
    expect(await ask("red")).toStartWith("because");
    expect(await ask()).toStartWith("because");
  }
});
