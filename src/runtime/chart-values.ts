/** The chart in a configuration: regions of this installation, and registries of anybody. */
import { resolve } from "node:path";
import * as v from "valibot";
import {
  endpointUrl,
  filePath,
  publicKeyPattern,
  regionName,
  type ValueType,
} from "./configuration-values.ts";

/** In degrees, north and east. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** A region as other regions know it. */
export interface ChartRegion {
  readonly name: string;
  readonly endpoint: string;
  /** Ed25519, the 32 raw bytes in base64url: `x` of the JSON Web Key. */
  readonly publicKey: string;
  /** Where it is on the console's map; Amazon's regions are known. */
  readonly place?: Place;
}

/** A destination that is no region: any OCI registry. */
export interface ChartRegistry {
  /** What rules name in the place of a region. */
  readonly name: string;
  readonly kind: "oci";
  readonly endpoint: string;
  /** Names of repositories there, with `{repository}` and `{account}` for those here. */
  readonly repository: string;
  readonly place?: Place;
  readonly credentials?: ChartCredentials | undefined;
}

export interface ChartCredentials {
  /** `basic` is a user name and a password; `ecr` are AWS keys that get one. */
  readonly kind: "basic" | "ecr";
  /** Of Docker's form for `basic`, of AWS' for `ecr`. */
  readonly file?: string | undefined;
  /** The beginning of the names of environment variables. */
  readonly environment?: string | undefined;
  /** Of `ecr`, where the endpoint does not say it. */
  readonly region?: string | undefined;
}

export type ChartEntry = ChartRegion | ChartRegistry;

export const regionsOf = (chart: readonly ChartEntry[]): ChartRegion[] =>
  chart.filter((entry): entry is ChartRegion => !isRegistry(entry));
export const registriesOf = (chart: readonly ChartEntry[]): ChartRegistry[] =>
  chart.filter(isRegistry);

function isRegistry(entry: ChartEntry): entry is ChartRegistry {
  return "kind" in entry;
}

/** The host of an Amazon ECR registry. https://docs.aws.amazon.com/general/latest/gr/ecr.html */
const amazonHost =
  /^(\d{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws)$/;

export interface AmazonRegistry {
  readonly account: string;
  readonly region: string;
  readonly apiEndpoint: string;
}

/** @returns undefined when the endpoint is not Amazon's */
export function amazonRegistry(endpoint: string): AmazonRegistry | undefined {
  const match = amazonHost.exec(new URL(endpoint).hostname);
  if (match === null) return undefined;
  const [, account = "", fips = "", region = "", domain = ""] = match;
  const host =
    domain === "on.aws" ? `ecr${fips}.${region}.api.aws` : `api.ecr${fips}.${region}.${domain}`;
  return { account, region, apiEndpoint: `https://${host}` };
}

/** More regions than any installation has; replication is a full mesh. */
const chartEntriesLimit = 100;
const regionKeys = "name, endpoint, publicKey, and if need be place";
const registryKeys = "name, kind: oci, endpoint, and if need be repository, credentials and place";

const degrees = (limit: number) => {
  const expected = `expected a number from ${-limit} to ${limit}`;
  return v.pipe(v.number(expected), v.minValue(-limit, expected), v.maxValue(limit, expected));
};
const place = v.exactOptional(
  v.strictObject(
    { latitude: degrees(90), longitude: degrees(180) },
    "expected latitude and longitude, in degrees north and east",
  ),
);

const region = v.strictObject(
  {
    name: regionName.schema,
    endpoint: endpointUrl.schema,
    publicKey: v.pipe(
      v.string("expected an Ed25519 public key: 43 characters of base64url"),
      v.regex(publicKeyPattern, "expected an Ed25519 public key: 43 characters of base64url"),
    ),
    place,
  },
  (issue) =>
    issue.expected === "never"
      ? `unknown key; a region has ${regionKeys}`
      : `expected a region with ${regionKeys}`,
);

const credentials = v.pipe(
  v.strictObject(
    {
      kind: v.optional(v.picklist(["basic", "ecr"], "expected basic or ecr"), "basic"),
      file: v.optional(filePath.schema),
      environment: v.optional(
        v.pipe(
          v.string(),
          v.regex(/^[A-Z][A-Z0-9_]{0,63}$/, "expected the beginning of a variable, such as BACKUP"),
        ),
      ),
      region: v.optional(regionName.schema),
    },
    "expected credentials with file or environment, and kind: ecr for Amazon ECR",
  ),
  v.check(
    ({ file, environment }) => (file === undefined) !== (environment === undefined),
    "expected either file or environment",
  ),
);

const registry = v.pipe(
  v.strictObject(
    {
      name: regionName.schema,
      kind: v.literal("oci", "expected oci; a region has no kind"),
      endpoint: endpointUrl.schema,
      repository: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(256),
          v.regex(
            /^(?=[^{]*(?:\{account\}[^{]*)?\{repository\}[^{]*$)[a-z0-9{][a-z0-9._/{}-]*$/,
            "expected a repository's name with {repository} in it, and {account} before it if need be",
          ),
        ),
        "{repository}",
      ),
      credentials: v.optional(credentials),
      place,
    },
    (issue) =>
      issue.expected === "never"
        ? `unknown key; a registry has ${registryKeys}`
        : `expected a registry with ${registryKeys}`,
  ),
  v.check(
    (entry) =>
      entry.credentials?.kind !== "ecr" ||
      entry.credentials.region !== undefined ||
      amazonRegistry(entry.endpoint) !== undefined,
    "the endpoint is not Amazon's: credentials of kind ecr need a region",
  ),
);

export const chartEntries: ValueType<readonly ChartEntry[]> = {
  name: "list",
  expected: `a list of regions, each with ${regionKeys}; and of registries, each with ${registryKeys}`,
  schema: v.pipe(
    v.array(
      v.lazy(
        (input): v.GenericSchema<unknown, ChartEntry> =>
          typeof input === "object" && input !== null && "kind" in input ? registry : region,
      ),
      `expected a list of regions, each with ${regionKeys}`,
    ),
    v.maxLength(chartEntriesLimit, `expected at most ${chartEntriesLimit} regions and registries`),
    v.check(
      (entries) => new Set(entries.map(({ name }) => name)).size === entries.length,
      "two entries of the chart have the same name",
    ),
  ),
  format: (entries) => JSON.stringify(entries),
  resolvePaths: (entries, directory) =>
    entries.map((entry) => {
      if (!isRegistry(entry) || entry.credentials?.file === undefined) return entry;
      const file = resolve(directory, entry.credentials.file);
      return { ...entry, credentials: { ...entry.credentials, file } };
    }),
};
