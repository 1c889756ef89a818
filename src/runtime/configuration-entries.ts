/**
 * Everything that can be configured, as data: the loader, the flags of `portolan serve`, the names
 * in the environment and docs/reference/configuration.md all come from this table.
 *
 * An entry `limits.idle` is `idle:` under `limits:` in portolan.yaml and `PORTOLAN_LIMITS_IDLE` in
 * the environment.
 */
import { type ChartEntry, chartEntries } from "./chart-values.ts";
import {
  accessKeyId,
  accountId,
  type ByteSize,
  byteSize,
  type Duration,
  databaseUrl,
  duration,
  endpointUrl,
  filePath,
  flag,
  hosts,
  type IdentityProviderEntry,
  identityProviders,
  integer,
  listenAddress,
  oneOf,
  organizationId,
  regionName,
  secretText,
  type ValueType,
} from "./configuration-values.ts";

export interface Entry<T, D extends T | undefined = T | undefined> {
  readonly type: ValueType<T>;
  /** Undefined when the entry may be absent. */
  readonly default: D;
  /** One or more sentences for the reference. */
  readonly description: string;
  /** Has a flag of its own; every other one that is not secret is reached by `--set`. */
  readonly flag?: { readonly value: string };
  /** Never a flag, never printed. */
  readonly secret?: true;
  /** Where it may stand, when not everywhere. */
  readonly only?: "environment" | "file";
  /** A path: relative to the file that names it, else to the working directory. */
  readonly path?: true;
}

export type EntryTree = { readonly [key: string]: Entry<unknown, unknown> | EntryTree };

type Valued<Tree> =
  Tree extends Entry<infer T, infer D>
    ? undefined extends D
      ? T | undefined
      : T
    : { readonly [Key in keyof Tree]: Valued<Tree[Key]> };

/** An entry that always has a value. */
function entry<T>(
  type: ValueType<T>,
  defaultValue: T,
  description: string,
  more: Omit<Entry<T>, "type" | "default" | "description"> = {},
): Entry<T, T> {
  return { type, default: defaultValue, description, ...more };
}

function optional<T>(
  type: ValueType<T>,
  description: string,
  more: Omit<Entry<T>, "type" | "default" | "description"> = {},
): Entry<T, T | undefined> {
  return { type, default: undefined, description, ...more };
}

const seconds = (count: number): Duration => ({ milliseconds: count * 1000 });
const mebibytes = (count: number): ByteSize => ({ bytes: count * 1024 ** 2 });
const noProviders: readonly IdentityProviderEntry[] = [];
const noHosts: readonly string[] = [];
const noRegions: readonly ChartEntry[] = [];

export const configurationEntries = {
  region: entry(
    regionName,
    "us-east-1",
    "The name of this region. Written into every version that this region makes, so a data directory keeps its region for ever.",
    { flag: { value: "name" } },
  ),
  account: entry(
    accountId,
    "111122223333",
    "The account whose root credentials the first start creates.",
    { flag: { value: "id" } },
  ),
  listen: entry(
    listenAddress,
    { hostname: "127.0.0.1", port: 5001 },
    "Where to accept connections. Port 0 lets the system choose one; the ready line names it.",
    { flag: { value: "address" } },
  ),
  endpoint: optional(
    endpointUrl,
    "The URL by which clients and other regions reach this region, when it is not the listen address (behind a proxy, for example). Default: this region's endpoint in the chart, else the listen address.",
    { flag: { value: "url" } },
  ),
  data: entry(
    filePath,
    ".portolan",
    "The directory of blobs, of the embedded database and of generated secrets. Created with mode 0700.",
    { flag: { value: "directory" }, path: true },
  ),
  metadata: {
    driver: entry(
      oneOf("sqlite", "postgres"),
      "sqlite",
      "Where metadata lives: embedded under the data directory, or in a PostgreSQL database.",
    ),
    url: optional(databaseUrl, "The PostgreSQL database, when the driver is `postgres`.", {
      secret: true,
    }),
  },
  tls: {
    certificate: optional(
      filePath,
      "The certificate chain, PEM. With it the server speaks TLS only. Read again on SIGHUP.",
      { flag: { value: "file" }, path: true },
    ),
    key: optional(filePath, "The certificate's private key, PEM. Read again on SIGHUP.", {
      flag: { value: "file" },
      path: true,
    }),
  },
  root: {
    accessKeyId: optional(
      accessKeyId,
      "The root access key id. Without it and without `root.credentials` the first start makes root credentials and prints them once.",
      { only: "environment" },
    ),
    secretAccessKey: optional(secretText, "The root secret access key.", {
      only: "environment",
      secret: true,
    }),
    credentials: optional(
      filePath,
      "A file with the root credentials, in the form of an AWS shared credentials file, so that `AWS_SHARED_CREDENTIALS_FILE` can name it too.",
      { path: true },
    ),
  },
  installationKey: optional(
    filePath,
    "A file with the key under which this installation encrypts secrets and signs registry tokens: 32 bytes in base64, the same in every region. Default: made at the first start, `installation-key` in the data directory.",
    { path: true },
  ),
  registry: {
    creationTemplates: entry(
      oneOf("root", "none"),
      "root",
      "What the registry begins with at its first start: a ROOT repository creation template, by which a push to a repository that does not exist creates it; or no template, and such pushes are refused. Afterwards templates are changed through the ECR API.",
    ),
    manifestLimit: entry(
      byteSize("64KiB", "64MiB"),
      mebibytes(4),
      "The largest manifest that is accepted.",
    ),
    blobLimit: entry(
      byteSize("1MiB", "64TiB"),
      mebibytes(1024 ** 2),
      "The largest blob that is accepted.",
    ),
    uploadsPerRepositoryLimit: entry(
      integer(1, 1_000_000),
      1000,
      "Open upload sessions per repository.",
    ),
    uploadExpiry: entry(
      duration("1m", "365d"),
      seconds(24 * 3600),
      "An upload session that nobody touched for so long is dropped.",
    ),
    garbageGrace: entry(
      duration("0", "365d"),
      seconds(24 * 3600),
      "Unreferenced content younger than this is never collected.",
    ),
  },
  limits: {
    headers: entry(
      byteSize("8KiB", "1MiB"),
      { bytes: 64 * 1024 },
      "The request line and headers of one request; more is answered 431. Tokens of some clients pass 16 KiB. At most 200 headers in any case.",
    ),
    idle: entry(
      duration("8s", "255s"),
      seconds(60),
      "A connection on which nothing moves for so long is closed, be it a kept-alive one or a transfer that stalls. Whole seconds, exact to about four, which is why it cannot be shorter.",
    ),
    tagsPage: entry(
      integer(1, 100_000),
      10_000,
      "The most tags in one page of a list, whatever the client asks for.",
    ),
    catalogPage: entry(
      integer(1, 100_000),
      1000,
      "The most repositories in one page of the catalogue, whatever the client asks for.",
    ),
    requestsInFlight: entry(
      integer(1, 1_000_000),
      10_000,
      "Requests handled at the same time; more are answered 503 with Retry-After.",
    ),
    shutdown: entry(
      duration("0", "1h"),
      seconds(30),
      "How long a shutdown waits for transfers in flight. A second signal does not wait.",
    ),
  },
  garbageCollection: {
    interval: entry(
      duration("0", "24d"),
      seconds(6 * 3600),
      "Time between two collections of garbage inside the server; 0 switches them off (`portolan gc` remains).",
    ),
  },
  throttling: {
    requestsPerSecond: entry(
      integer(0, 1_000_000),
      5000,
      "How often a principal may call an operation of the AWS APIs, per second; twice as many at once after a pause. More is answered `ThrottlingException`, which every SDK waits out. 0: no limit.",
    ),
    ecrRates: entry(
      flag,
      false,
      "Applies the rates that Amazon ECR states for its operations (PutImage 10 a second, InitiateLayerUpload 100 …), to find out here what would be throttled there.",
    ),
    registryRequestsPerSecond: entry(
      integer(0, 1_000_000),
      0,
      "How often a principal may ask under `/v2/`, per second; twice as many at once after a pause. More is answered 429 with Retry-After. 0: no limit.",
    ),
  },
  pullThroughCache: {
    upstreams: entry(
      hosts,
      noHosts,
      "Hosts that pull-through cache rules may name beside those that Amazon ECR knows (Docker Hub, GitHub, GitLab, Kubernetes, Quay, ECR Public, Azure, Chainguard). This server fetches from them.",
    ),
    insecureUpstreams: entry(
      hosts,
      noHosts,
      "Hosts that rules may name and that are spoken to without TLS: for networks that you own.",
    ),
    tagFreshness: entry(
      duration("0", "365d"),
      seconds(24 * 3600),
      "A cached tag is compared with the upstream's when it was not for so long.",
    ),
    referrersFreshness: entry(
      duration("0", "365d"),
      seconds(6 * 3600),
      "The same for the list of an image's signatures and other referrers.",
    ),
    unknownFreshness: entry(
      duration("0", "24h"),
      seconds(60),
      "That the upstream has no such image is believed for so long.",
    ),
    failureFreshness: entry(
      duration("0", "24h"),
      seconds(60),
      "When an upstream fails, the cached tag is served for so long before it is asked again.",
    ),
  },
  access: {
    organization: optional(
      organizationId,
      "What policies see as `aws:PrincipalOrgID` and `aws:ResourceOrgID`: the accounts of an installation are one organization.",
    ),
    identityProviders: entry(
      identityProviders,
      noProviders,
      "OpenID Connect issuers whose tokens AssumeRoleWithWebIdentity takes, each with its `issuer` URL and the `audiences` that its tokens may be for. A role's trust policy names one as `arn:aws:iam::<account>:oidc-provider/<issuer without https://>`.",
      { only: "file" },
    ),
  },
  audit: {
    retention: entry(
      duration("1h", "3650d"),
      seconds(90 * 24 * 3600),
      "How long the audit of allowed and denied calls is kept.",
    ),
  },
  log: {
    level: entry(
      oneOf("trace", "debug", "info", "warn", "error", "fatal"),
      "info",
      "The least severe level that is written.",
      { flag: { value: "level" } },
    ),
    requests: entry(
      oneOf("all", "errors", "none"),
      "all",
      "Which requests are logged. All of them cost about a seventh of the processor time of small pulls, and tell who pulled what. `errors` are the answers with status 500 and above, and refusals of credentials (401 with credentials, 403).",
      { flag: { value: "which" } },
    ),
  },
  metrics: {
    readers: entry(
      oneOf("loopback", "root", "everyone"),
      "loopback",
      "Who may read /metrics: `loopback` is peers on this machine, and the root credentials from anywhere; `root` is the root credentials only.",
    ),
  },
  regionKey: optional(
    filePath,
    "The region's Ed25519 private key (PKCS #8, PEM), with which it proves itself to the other regions of the chart.",
    { path: true },
  ),
  chart: entry(
    chartEntries,
    noRegions,
    "Every region of the installation, this one included, with its endpoint and public key; `portolan chart init` writes it. Besides, other registries as destinations, with `kind: oci`: see [Any registry](../guides/any-registry.md).",
    { only: "file" },
  ),
  replication: {
    concurrency: entry(
      integer(1, 256),
      8,
      "Replications that run at the same time for one destination.",
    ),
    retryInitial: entry(
      duration("10ms", "1h"),
      seconds(1),
      "The wait before the first retry; it doubles with every failure, with jitter.",
    ),
    retryMaximum: entry(
      duration("10ms", "24h"),
      seconds(300),
      "The longest wait between two tries. There is no last try.",
    ),
    verifyInterval: entry(
      duration("0", "24d"),
      seconds(3600),
      "Time between two comparisons with every destination inside the server; 0 switches them off (`portolan verify` remains).",
    ),
    ownFilterTypes: entry(
      flag,
      false,
      "Whether replication rules may have the filter types `PORTOLAN_…` (exact names, wildcards, exclusion, tags, artifact types), which Amazon ECR does not have. Rules that have them already keep them when it is switched off.",
    ),
    rulesLimit: entry(
      integer(1, 1000),
      10,
      "Replication rules of a registry. Amazon ECR has this limit and the three below.",
    ),
    destinationsLimit: entry(
      integer(1, 1000),
      25,
      "Different destinations of all rules of a registry together.",
    ),
    destinationsPerRuleLimit: entry(integer(1, 1000), 100, "Destinations of one rule."),
    filtersPerRuleLimit: entry(integer(1, 1000), 100, "Filters of one rule."),
  },
} as const;

/** What a configuration is when it has been read: durations in milliseconds, paths absolute. */
export type Configuration = Valued<typeof configurationEntries>;

export interface NamedEntry {
  /** `limits.idle` */
  readonly path: string;
  /** `PORTOLAN_LIMITS_IDLE`; undefined when the environment may not have it. */
  readonly variable: string | undefined;
  /** `--tls-certificate`, without the dashes; undefined when it has none. */
  readonly flag: string | undefined;
  readonly entry: Entry<unknown, unknown>;
}

export function isEntry(
  node: Entry<unknown, unknown> | EntryTree,
): node is Entry<unknown, unknown> {
  return typeof node.description === "string";
}

/** All entries in the order of the table. */
export function namedEntries(tree: EntryTree = configurationEntries, prefix = ""): NamedEntry[] {
  return Object.entries(tree).flatMap(([key, node]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (!isEntry(node)) return namedEntries(node, path);
    const words = path
      .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      .replace(/\./g, "-");
    return [
      {
        path,
        variable:
          node.only === "file" ? undefined : `PORTOLAN_${words.replace(/-/g, "_").toUpperCase()}`,
        flag: node.flag === undefined ? undefined : words,
        entry: node,
      },
    ];
  });
}
