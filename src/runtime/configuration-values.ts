/**
 * The types of value that a configuration has: how each is written by people, what it becomes, and
 * what to say when it is wrong. Every type reads YAML values and text, because flags and the
 * environment only have text.
 */
import * as v from "valibot";

export interface ValueType<T> {
  /** As in the reference, such as `duration`. */
  readonly name: string;
  /** Ends the sentence "expected …". */
  readonly expected: string;
  readonly schema: v.GenericSchema<unknown, T>;
  /** As a person would write it; for the reference and `portolan config`. */
  format(value: T): string;
  /** Makes paths inside the value absolute. */
  resolvePaths?(value: T, directory: string): T;
}

export interface Duration {
  readonly milliseconds: number;
}

export interface ByteSize {
  readonly bytes: number;
}

export interface ListenAddress {
  /** Without the brackets of IPv6. */
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** A type from a function that gives undefined for what it does not understand. */
function valueType<T>(
  name: string,
  expected: string,
  parse: (raw: unknown) => T | undefined,
  format: (value: T) => string = String,
): ValueType<T> {
  const schema = v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: `expected ${expected}` });
      return NEVER;
    }),
  );
  return { name, expected, schema, format };
}

function matching(name: string, expected: string, pattern: RegExp): ValueType<string> {
  return valueType(name, expected, (raw) => {
    const text = textOf(raw);
    return text !== undefined && pattern.test(text) ? text : undefined;
  });
}

/** YAML reads 111122223333 as a number, and a person need not know that. */
function textOf(raw: unknown): string | undefined {
  if (typeof raw === "string") return raw;
  return typeof raw === "number" && Number.isSafeInteger(raw) ? String(raw) : undefined;
}

export const regionNamePattern = /^[0-9a-z-]{2,25}$/;
export const accountPattern = /^\d{12}$/;
/** 32 bytes in base64url without padding. */
export const publicKeyPattern = /^[A-Za-z0-9_-]{43}$/;

export const regionName = matching(
  "region",
  "a region name of 2 to 25 characters from a-z, 0-9 and -, such as us-east-1",
  regionNamePattern,
);

export const accountId = matching(
  "account",
  "an account id of twelve digits, such as 111122223333",
  accountPattern,
);

export const organizationId = matching(
  "organization",
  "an organization id, such as o-portolan0001",
  /^o-[a-z0-9]{10,32}$/,
);

/** No line breaks, no NUL; resolved against the file that names it, else the working directory. */
export const filePath = matching("path", "a path", /^[^\0\r\n]{1,4096}$/);

export const secretText = matching(
  "secret",
  "16 to 128 printable characters without spaces",
  /^[!-~]{16,128}$/,
);

export const accessKeyId = matching(
  "access key id",
  "an access key id of 16 to 128 letters, digits and underscores",
  /^\w{16,128}$/,
);

export const databaseUrl = valueType(
  "URL",
  "a URL postgres://user:password@host:port/database",
  (raw) => {
    const url = typeof raw === "string" ? parseUrl(raw) : undefined;
    return url !== undefined && /^postgres(ql)?:$/.test(url.protocol) ? (raw as string) : undefined;
  },
);

export const endpointUrl = valueType(
  "URL",
  "an http:// or https:// URL without user, path or query, such as https://us-east-1.example.com",
  (raw) => (typeof raw === "string" ? parseEndpoint(raw) : undefined),
);

/** The normal form of an endpoint, without a slash at its end; undefined when it is not one. */
export function parseEndpoint(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === "") return undefined;
  const bare = url.pathname === "/" && url.search === "" && url.hash === "";
  return bare && url.username === "" && url.password === "" ? url.origin : undefined;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

export const listenAddress = valueType<ListenAddress>(
  "address",
  'HOST:PORT, such as "127.0.0.1:5001", ":5001" (every address) or "[::1]:5001"',
  (raw) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(textOf(raw) ?? "");
    if (match === null || Number(match[3]) > 65535) return undefined;
    // "::" takes IPv4 as well.
    return { hostname: match[1] ?? (match[2] || "::"), port: Number(match[3]) };
  },
  formatListenAddress,
);

export function formatListenAddress({ hostname, port }: ListenAddress): string {
  if (hostname === "::") return `:${port}`;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

export const flag = valueType<boolean>("boolean", "true or false", (raw) => {
  if (raw === true || raw === "true") return true;
  return raw === false || raw === "false" ? false : undefined;
});

export function integer(minimum: number, maximum: number): ValueType<number> {
  return valueType("integer", `a whole number from ${minimum} to ${maximum}`, (raw) => {
    const text = textOf(raw);
    if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= minimum && value <= maximum ? value : undefined;
  });
}

export function oneOf<const T extends string>(...values: readonly T[]): ValueType<T> {
  return valueType("word", values.join(" or "), (raw) => values.find((value) => value === raw));
}

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @param maximum so that no timer overflows its 32 bits of milliseconds (24 days) unnoticed */
export function duration(minimum: string, maximum: string): ValueType<Duration> {
  const least = durationOf(minimum);
  const most = durationOf(maximum);
  return valueType<Duration>(
    "duration",
    `a duration from ${minimum} to ${maximum}, such as 500ms, 30s, 10m, 24h or 7d`,
    (raw) => {
      const milliseconds = parseDuration(raw);
      if (milliseconds === undefined) return undefined;
      return milliseconds >= least && milliseconds <= most ? { milliseconds } : undefined;
    },
    formatDuration,
  );
}

function parseDuration(raw: unknown): number | undefined {
  if (raw === 0) return 0;
  const match = typeof raw === "string" ? /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(raw) : null;
  if (match === null) return raw === "0" ? 0 : undefined;
  return Math.round(Number(match[1]) * durationUnits[match[2] as keyof typeof durationUnits]);
}

/** For durations written in this program. */
export function durationOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new TypeError(`not a duration: ${text}`);
  return milliseconds;
}

export function formatDuration({ milliseconds }: Duration): string {
  if (milliseconds === 0) return "0";
  for (const unit of ["d", "h", "m", "s"] as const) {
    // A day reads better as 24h, as everywhere in this field.
    if (unit === "d" && milliseconds < 2 * durationUnits.d) continue;
    if (milliseconds % durationUnits[unit] === 0)
      return `${milliseconds / durationUnits[unit]}${unit}`;
  }
  return `${milliseconds}ms`;
}

const sizeUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

export function byteSize(minimum: string, maximum: string): ValueType<ByteSize> {
  const least = bytesOf(minimum);
  const most = bytesOf(maximum);
  return valueType<ByteSize>(
    "size",
    `a size from ${minimum} to ${maximum}, such as 65536, 64KiB, 4MiB, 10GiB or 1TiB`,
    (raw) => {
      const bytes = parseBytes(raw);
      return bytes !== undefined && bytes >= least && bytes <= most ? { bytes } : undefined;
    },
    formatBytes,
  );
}

function parseBytes(raw: unknown): number | undefined {
  const match = /^(\d{1,15})(B|KiB|MiB|GiB|TiB)?$/.exec(textOf(raw) ?? "");
  if (match === null) return undefined;
  return Number(match[1]) * sizeUnits[(match[2] ?? "B") as keyof typeof sizeUnits];
}

function bytesOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new TypeError(`not a size: ${text}`);
  return bytes;
}

export function formatBytes({ bytes }: ByteSize): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"] as const) {
    if (bytes > 0 && bytes % sizeUnits[unit] === 0) return `${bytes / sizeUnits[unit]}${unit}`;
  }
  return String(bytes);
}

/** An OpenID Connect issuer whose tokens are taken for sessions of roles. */
export interface IdentityProviderEntry {
  readonly issuer: string;
  readonly audiences: readonly string[];
}

export const identityProviders: ValueType<readonly IdentityProviderEntry[]> = {
  name: "list",
  expected: "a list of identity providers, each with issuer and audiences",
  schema: v.pipe(
    v.array(
      v.strictObject({
        issuer: v.pipe(v.string(), v.regex(/^https?:\/\/[^\s?#@]+$/, "expected a URL")),
        audiences: v.pipe(v.array(v.string()), v.minLength(1, "expected an audience at least")),
      }),
      "expected a list of identity providers, each with issuer and audiences",
    ),
    v.maxLength(100, "expected at most 100 identity providers"),
  ),
  format: (providers) => JSON.stringify(providers),
};

const hostPattern = /^(?:[a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/;

/** Hosts with optional ports; in the environment and on the command line separated by commas. */
export const hosts: ValueType<readonly string[]> = {
  name: "hosts",
  expected: "hosts with optional ports, such as registry.example.com:5000",
  schema: v.pipe(
    v.union([
      v.array(v.string()),
      v.pipe(
        v.string(),
        v.transform((text) => (text === "" ? [] : text.split(",").map((host) => host.trim()))),
      ),
    ]),
    v.array(
      v.pipe(
        v.string(),
        v.regex(
          hostPattern,
          "expected hosts with optional ports, such as registry.example.com:5000",
        ),
      ),
    ),
    v.maxLength(1000, "expected at most 1000 hosts"),
  ),
  format: (list) => list.join(","),
};
