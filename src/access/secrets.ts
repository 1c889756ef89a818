/**
 * Secrets in the shape of AWS Secrets Manager, as far as a registry needs them: credentials of
 * upstream registries. Values are encrypted under the installation's key; nothing but
 * `readSecretValue` ever decrypts one.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { RegistryContext } from "../registry/context.ts";
import {
  changeDocument,
  documentKind,
  findDocument,
  listDocuments,
} from "../registry/documents.ts";
import type { SecretCipher } from "./installation-key.ts";

export interface SecretVersion {
  readonly id: string;
  /** Base64 of what `SecretCipher` made of the text. */
  readonly encrypted: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface Secret {
  /** With the six characters that AWS puts behind the name. */
  readonly arn: string;
  readonly description?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly current: SecretVersion;
  readonly previous?: SecretVersion | undefined;
  readonly createdAt: number;
  readonly changedAt: number;
  /** When it was asked to be deleted; it can be restored until `deleteAt`. */
  readonly deletedAt?: number | undefined;
  readonly deleteAt?: number | undefined;
}

/** Name: the secret's name. The region's own: ARNs name their region. */
export const secretKind = documentKind<Secret>("secret", "region");
/** AWS's bound is half a million; ours is for people's registries. */
export const secretsLimit = 1000;

export type SecretFailure = "exists" | "unknown" | "deleted" | "limit";

export class SecretError extends Error {
  override readonly name = "SecretError";
  readonly failure: SecretFailure;
  constructor(failure: SecretFailure, text: string) {
    super(text);
    this.failure = failure;
  }
}

export interface SecretsContext {
  readonly registry: RegistryContext;
  readonly cipher: SecretCipher;
}

export interface SecretTarget {
  readonly account: string;
  readonly name: string;
  readonly actor: string;
}

/** What a value is bound to: moved to another secret, it cannot be decrypted. */
const binding = (account: string, name: string) => `secret ${account} ${name}`;

export function encryptVersion(
  { registry, cipher }: SecretsContext,
  { account, name }: Pick<SecretTarget, "account" | "name">,
  text: string,
  id: string,
): SecretVersion {
  const encrypted = Buffer.from(cipher.encrypt(text, binding(account, name))).toString("base64");
  return { id, encrypted, createdAt: registry.clock.now() };
}

/** @throws SecretDecryptionError */
export function decryptVersion(
  { cipher }: Pick<SecretsContext, "cipher">,
  { account, name }: Pick<SecretTarget, "account" | "name">,
  version: SecretVersion,
): string {
  return cipher.decrypt(
    new Uint8Array(Buffer.from(version.encrypted, "base64")),
    binding(account, name),
  );
}

/** @throws SecretError exists, limit */
export async function createSecret(
  context: SecretsContext,
  target: SecretTarget,
  secret: Secret,
): Promise<void> {
  const { registry } = context;
  const { account, name } = target;
  await registry.metadata.transaction(async (tx) => {
    const { length } = await listDocuments(tx, secretKind, account, { limit: secretsLimit });
    await changeDocument(registry, tx, secretKind, target, (present) => {
      if (present !== undefined && !isGone(present, registry.clock.now())) {
        throw new SecretError("exists", `The secret ${name} already exists.`);
      }
      if (length >= secretsLimit) {
        throw new SecretError("limit", `There may be at most ${secretsLimit} secrets.`);
      }
      return secret;
    });
  });
}

/**
 * Changes a secret that is there.
 * @param change returns undefined to delete it for good
 * @throws SecretError unknown, and what `change` throws
 */
export async function changeSecret(
  { registry }: SecretsContext,
  target: SecretTarget,
  change: (present: Secret) => Secret | undefined,
): Promise<void> {
  await registry.metadata.transaction((tx) =>
    changeDocument(registry, tx, secretKind, target, (present) => {
      if (present === undefined || isGone(present, registry.clock.now())) throw unknown();
      return change(present);
    }),
  );
}

/** @throws SecretError unknown */
export async function findSecret(
  { registry }: Pick<SecretsContext, "registry">,
  account: string,
  name: string,
): Promise<Secret> {
  const found = await findDocument(registry.metadata.read, secretKind, account, name);
  if (found === undefined || isGone(found.value, registry.clock.now())) throw unknown();
  return found.value;
}

/** @throws SecretError unknown, deleted; SecretDecryptionError */
export async function readSecretValue(
  context: SecretsContext,
  account: string,
  name: string,
): Promise<string> {
  const secret = await findSecret(context, account, name);
  requireAlive(secret);
  return decryptVersion(context, { account, name }, secret.current);
}

/** @throws SecretError deleted */
export function requireAlive(secret: Secret): void {
  if (secret.deletedAt === undefined) return;
  throw new SecretError(
    "deleted",
    "You can't perform this operation on the secret because it was marked for deletion.",
  );
}

export function listSecrets(
  db: Queryable,
  account: string,
  page: { after: string; limit: number },
): Promise<{ readonly name: string; readonly value: Secret }[]> {
  return listDocuments(db, secretKind, account, page);
}

/**
 * The account and name that an ARN or a bare name means; undefined for an ARN of something else.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
 */
export function secretNameOf(
  id: string,
  own: { readonly region: string; readonly account: string },
): { readonly account: string; readonly name: string } | undefined {
  if (!id.startsWith("arn:")) return { account: own.account, name: id };
  const match = /^arn:aws:secretsmanager:([a-z0-9-]+):(\d{12}):secret:(.+)-[A-Za-z0-9]{6}$/.exec(
    id,
  );
  if (match === null || match[1] !== own.region) return undefined;
  return { account: match[2] ?? "", name: match[3] ?? "" };
}

const unknown = () =>
  new SecretError("unknown", "Secrets Manager can't find the specified secret.");

/** Its time to be restored is over; the row is written over by a new secret of that name. */
function isGone({ deleteAt }: Secret, now: number): boolean {
  return deleteAt !== undefined && deleteAt <= now;
}
