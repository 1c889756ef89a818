/**
 * Measures decisions, alone and on the way of a manifest GET, with 1,000 identities and 1,000
 * repositories that have policies.
 *
 *   npm run bench:access
 *
 * All in one process and without a socket: what is measured is the work, and a socket would hide
 * most of it.
 */
import { cpus, loadavg } from "node:os";
import { type AccessRequest, type Principal, repositoryArn } from "../src/access/access.ts";
import { type Audit, noAudit } from "../src/access/audit.ts";
import { auditLog } from "../src/access/audit-log.ts";
import { rootPrincipal } from "../src/access/credentials.ts";
import { systemClock, systemRandom } from "../src/runtime/clock.ts";
import { accessRequest, facts, userPrincipal } from "../tests/support/access-request.ts";
import { allow, basic, deny, policy, worldAccess } from "../tests/support/policy-world.ts";
import { openRegistry, type TestRegistry } from "../tests/support/registry.ts";

const account = "111122223333";
const partner = "444455556666";
const count = 1000;
const rounds = 12;
const arn = (name: string) => repositoryArn("us-east-1", account, name);

const ordinary = (team: number) => [
  policy(allow("ecr:GetAuthorizationToken")),
  policy(
    allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"], {
      Resource: [arn(`team-${team}/*`), arn("shared/*")],
    }),
    allow(["ecr:Put*", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"], {
      Resource: arn(`team-${team}/*`),
    }),
    deny("ecr:Delete*"),
  ),
  policy(
    allow(["iam:GetUser", "iam:ListAccessKeys"], {
      Resource: `arn:aws:iam::${account}:user/\${aws:username}`,
    }),
  ),
];
const repositoryPolicy = policy(
  { Effect: "Allow", Principal: { AWS: partner }, Action: ["ecr:Batch*", "ecr:GetDownload*"] },
  {
    Effect: "Deny",
    Principal: "*",
    Action: "ecr:*",
    Condition: { StringEquals: { "aws:ResourceTag/archived": "yes" } },
  },
);

const users = Array.from({ length: count }, (_, n) => userPrincipal(account, `user-${n}`));
const jo = userPrincipal(account, "user-0");
const kim = userPrincipal(partner, "kim");
const heavy: Principal = {
  ...userPrincipal(account, "heavy"),
  session: {
    issuedAt: 0,
    tags: { team: "blue" },
    policies: [JSON.stringify(policy(allow("ecr:*")))],
  },
};

function world(audit: Audit) {
  return worldAccess(
    {
      identities: [
        ...users.map((principal, n) => ({ principal, policies: ordinary(n) })),
        { principal: kim, policies: [policy(allow("ecr:*"))] },
        {
          principal: heavy,
          boundary: policy(allow(["ecr:*", "iam:*"])),
          policies: [
            policy(
              allow("ecr:*", {
                Condition: {
                  StringEquals: { "aws:PrincipalTag/team": "${aws:ResourceTag/team}" },
                  IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] },
                  DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" },
                  StringLike: { "aws:UserAgent": "docker/*" },
                },
              }),
            ),
          ],
        },
      ],
      repositoryPolicies: Object.fromEntries(
        users.map((_, n) => [`${account}/team-${n}/web`, repositoryPolicy]),
      ),
      repositoryTags: { [`${account}/team-0/web`]: { team: "blue" } },
      registryPolicies: {
        [account]: policy(allow("ecr:ReplicateImage", { Principal: { AWS: partner } })),
      },
    },
    { audit, users: { jo } },
  ).access;
}

/** Microseconds of processor time for one run of `work`. */
async function once(work: () => Promise<unknown>, runs: number): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < runs; n++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / runs;
}

/**
 * The least of some rounds: other programs of the machine can only make it more. The first rounds
 * warm up.
 */
async function least(measured: readonly (() => Promise<number>)[]): Promise<number[]> {
  const all = measured.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    // Alternating, so that a change of the machine's mood meets all of them.
    for (const [index, measure] of measured.entries()) all[index]?.push(await measure());
  }
  return all.map((samples) => Math.min(...samples));
}

async function measure(work: () => Promise<unknown>, runs: number): Promise<number> {
  const [microseconds = Number.NaN] = await least([() => once(work, runs)]);
  return microseconds;
}

const rows: [string, number][] = [];
const access = world(noAudit);
const request = facts({ userAgent: "docker/27.0 (linux)" });
const pull = "ecr:BatchGetImage";
const decisions: [string, () => AccessRequest][] = [
  ["root of the account", () => accessRequest(rootPrincipal(account), pull, arn("team-0/web"))],
  ["a user with three policies", () => accessRequest(jo, pull, arn("team-0/web"))],
  ["the same, refused", () => accessRequest(jo, pull, arn("team-1/web"))],
  ["across accounts", () => accessRequest(kim, pull, arn("team-0/web"))],
  [
    "boundary, session policy, four conditions",
    () => accessRequest(heavy, pull, arn("team-0/web"), { request }),
  ],
];
for (const [name, ask] of decisions) {
  rows.push([`decide: ${name}`, await measure(() => access.decide(ask()), 20_000)]);
}
let n = 0;
rows.push([
  "decide: 1,000 users in turn",
  await measure(() => {
    const principal = users[n++ % count] ?? jo;
    return access.decide(accessRequest(principal, pull, arn(`team-${n % count}/web`)));
  }, 20_000),
]);

/** A manifest GET through the handler, with this access. */
async function manifestGet(registry: TestRegistry, headers: Record<string, string>) {
  const response = await registry.request("GET", "/v2/team-0/web/manifests/v1", { headers });
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  await response.arrayBuffer();
}

const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [],
});
const agent = { "User-Agent": "docker/27.0 (linux)" };
const gets: [string, TestRegistry, Record<string, string>, () => Promise<void>][] = [];
for (const kind of ["open", "policies", "audit"] as const) {
  const registry = await openRegistry({ storage: "disk" });
  await registry.request("PUT", "/v2/team-0/web/manifests/v1", { body: manifest });
  const log = auditLog({
    metadata: registry.context.metadata,
    clock: systemClock,
    random: systemRandom,
    onError: console.error,
  });
  const own =
    kind === "open"
      ? registry
      : await openRegistry({
          openMetadata: async () => registry.context.metadata,
          access: world(kind === "audit" ? log : noAudit),
        });
  const headers = kind === "open" ? agent : { ...agent, ...basic("jo") };
  gets.push([kind, own, headers, () => log.close()]);
}
const [open = 0, policies = 0, audit = 0] = await least(
  gets.map(
    ([, registry, headers]) =>
      () =>
        once(() => manifestGet(registry, headers), 4000),
  ),
);
rows.push(["manifest GET, everybody may", open]);
rows.push(["manifest GET, by policies", policies]);
rows.push(["manifest GET, by policies, with audit", audit]);
for (const [, , , close] of gets) await close();

for (const [name, microseconds] of rows) {
  const perSecond = Math.round(1e6 / microseconds).toLocaleString("en");
  console.log(
    `${name.padEnd(50)} ${microseconds.toFixed(2).padStart(8)} µs ${perSecond.padStart(10)}/s`,
  );
}
const share = (microseconds: number) => `${((microseconds / open - 1) * 100).toFixed(1)} %`;
console.log(`\npolicies add ${share(policies)}, policies and audit add ${share(audit)}`);
console.log(
  `${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}, least of ${rounds} rounds, processor time`,
);
process.exit();
