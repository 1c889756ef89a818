/**
 * Credentials for registries of the chart: from a file or from the environment, read whenever they
 * are needed, so that a new password needs no restart.
 */
import * as v from "valibot";
import type { ChartCredentials } from "./chart-values.ts";
import { readDefaultProfile, readSecretFile, SecretFileError } from "./secret-files.ts";

export interface PasswordCredentials {
  readonly kind: "basic";
  readonly username: string;
  readonly password: string;
}

export interface AwsKeyCredentials {
  readonly kind: "ecr";
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws SecretFileError in words for the operator, without any secret */
export function readRegistryCredentials(
  credentials: ChartCredentials,
  endpoint: string,
  environment: Environment = process.env,
): Promise<PasswordCredentials | AwsKeyCredentials> {
  return credentials.kind === "ecr"
    ? readKeys(credentials, environment)
    : readPassword(credentials, endpoint, environment);
}

async function readKeys(
  { file, environment: prefix }: ChartCredentials,
  environment: Environment,
): Promise<AwsKeyCredentials> {
  const profile = file === undefined ? undefined : await readDefaultProfile(file);
  const value = (name: string) =>
    profile
      ? profile.get(name)
      : environment[`${prefix}_${name.replace("aws_", "").toUpperCase()}`];
  const accessKeyId = value("aws_access_key_id");
  const secretAccessKey = value("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) {
    throw new SecretFileError(
      file === undefined
        ? `${prefix}_ACCESS_KEY_ID and ${prefix}_SECRET_ACCESS_KEY are not set`
        : `${file}: expected aws_access_key_id and aws_secret_access_key under [default]`,
    );
  }
  const sessionToken = value("aws_session_token") || undefined;
  return { kind: "ecr", accessKeyId, secretAccessKey, sessionToken };
}

/** As `docker login` and `podman login --authfile` write it. */
const loginFile = v.object({
  auths: v.record(
    v.string(),
    v.object({
      auth: v.optional(v.string()),
      username: v.optional(v.string()),
      password: v.optional(v.string()),
    }),
  ),
});

async function readPassword(
  { file, environment: prefix }: ChartCredentials,
  endpoint: string,
  environment: Environment,
): Promise<PasswordCredentials> {
  if (file === undefined) {
    const username = environment[`${prefix}_USERNAME`];
    const password = environment[`${prefix}_PASSWORD`];
    if (username && password) return { kind: "basic", username, password };
    throw new SecretFileError(`${prefix}_USERNAME and ${prefix}_PASSWORD are not set`);
  }
  const text = await readSecretFile(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new SecretFileError(`${file}: expected JSON, as docker login writes it`);
  }
  const parsed = v.safeParse(loginFile, json);
  if (!parsed.success) {
    throw new SecretFileError(`${file}: expected auths, as docker login writes them`);
  }
  const { host } = new URL(endpoint);
  const names = [host, `https://${host}`, `http://${host}`, `https://${host}/v1/`];
  const found = names.map((name) => parsed.output.auths[name]).find(Boolean);
  const decoded = Buffer.from(found?.auth ?? "", "base64").toString();
  const colon = decoded.indexOf(":");
  const username = found?.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = found?.password ?? decoded.slice(colon + 1);
  if (username && password) return { kind: "basic", username, password };
  throw new SecretFileError(`${file}: has no user name and password for ${host}`);
}
