import { expect, test } from "bun:test";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { memoryBlobStore } from "../blobs/memory.ts";
import { verified } from "../blobs/verified.ts";
import { sqliteMetadataStore } from "../metadata/sqlite.ts";
import { defaultRegistrySettings, type RegistryContext } from "../registry/context.ts";
import { changeDocument } from "../registry/documents.ts";
import { hybridClock } from "../registry/hybrid-clock.ts";
import { keyedMutex } from "../registry/keyed-mutex.ts";
import { systemRandom } from "../runtime/clock.ts";
import { ensureRootCredentials, rootPrincipal, storedAccessKeys } from "./credentials.ts";
import { SecretDecryptionError, secretCipher } from "./installation-key.ts";
import { findRootKey, rootKeyKind } from "./root-keys.ts";

const account = "111122223333";
const given = { accessKeyId: "AKIAGIVENGIVENGIVEN1", secretAccessKey: "given/secret/given/secret" };

async function installation(installationKey = systemRandom.bytes(32)) {
  const clock = manualClock();
  const metadata = await sqliteMetadataStore({ path: ":memory:", now: clock.now() });
  const cipher = secretCipher(installationKey, systemRandom);
  const registry: RegistryContext = {
    region: "us-east-1",
    metadata,
    blobs: verified(memoryBlobStore()),
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: defaultRegistrySettings,
    observers: [],
    uploadMutex: keyedMutex(),
  };
  return {
    metadata,
    registry,
    keys: storedAccessKeys(metadata, cipher),
    start: (
      credentials?: { accessKeyId: string; secretAccessKey: string },
      { of = account, under = cipher } = {},
    ) =>
      ensureRootCredentials({
        registry,
        cipher: under,
        account: of,
        given: credentials,
      }),
  };
}

test("the first start generates credentials and shows them; the next start does neither", async () => {
  const { keys, start } = await installation();
  const first = await start();
  expect(first.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(first.generatedSecretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(await start()).toEqual({ accessKeyId: first.accessKeyId });
  expect(await keys.find(first.accessKeyId)).toEqual({
    id: first.accessKeyId,
    secretAccessKey: first.generatedSecretAccessKey ?? "",
    principal: { ...rootPrincipal(account), accessKeyId: first.accessKeyId },
  });
});

test("the secret is not in the database", async () => {
  const { metadata, start } = await installation();
  const { accessKeyId, generatedSecretAccessKey = "?" } = await start();
  const row = await findRootKey(metadata.read, accessKeyId);
  const encrypted = Buffer.from(row?.value.secret ?? "", "base64");
  expect(encrypted.byteLength).toBeGreaterThan(generatedSecretAccessKey.length);
  expect(encrypted.includes(generatedSecretAccessKey)).toBe(false);
  expect(JSON.stringify(row)).not.toContain(generatedSecretAccessKey);
});

test("several starts at the same time generate one key", async () => {
  const { start } = await installation();
  const all = await Promise.all([start(), start(), start(), start()]);
  expect(new Set(all.map((one) => one.accessKeyId)).size).toBe(1);
  expect(all.filter((one) => one.generatedSecretAccessKey !== undefined)).toHaveLength(1);
});

test("given credentials take the place of those before, and can be rotated", async () => {
  const { keys, start } = await installation();
  const generated = await start();
  expect(await start(given)).toEqual({ accessKeyId: given.accessKeyId });
  expect(await keys.find(generated.accessKeyId)).toBeUndefined();
  expect((await keys.find(given.accessKeyId))?.secretAccessKey).toBe(given.secretAccessKey);

  const rotated = { ...given, secretAccessKey: "another-secret-another-secret" };
  await start(rotated);
  expect((await keys.find(given.accessKeyId))?.secretAccessKey).toBe(rotated.secretAccessKey);

  // Once configured they stay, also when the configuration no longer names them.
  expect(await start()).toEqual({ accessKeyId: given.accessKeyId });
});

test("a deactivated key is not found", async () => {
  const { keys, registry, start } = await installation();
  const { accessKeyId } = await start();
  await deactivate(registry, accessKeyId);
  expect(await keys.find(accessKeyId)).toBeUndefined();
});

function deactivate(registry: RegistryContext, name: string): Promise<unknown> {
  const target = { account, name, actor: rootPrincipal(account).arn };
  return registry.metadata.transaction((tx) =>
    changeDocument(
      registry,
      tx,
      rootKeyKind,
      target,
      (present) => present && ({ ...present, status: "inactive" } as const),
    ),
  );
}

test("credentials that another region has replaced stay so, whatever this one's file says", async () => {
  const { keys, registry, start } = await installation();
  await start(given);
  const elsewhere = { ...registry, region: "eu-west-1" };
  const replacement = { ...given, accessKeyId: "AKIAREPLACEMENT12345" };
  await ensureRootCredentials({
    registry: elsewhere,
    cipher: secretCipher(systemRandom.bytes(32), systemRandom),
    account,
    given: replacement,
  });
  const { accessKeyId } = replacement;
  expect(await start(given)).toEqual({ accessKeyId, replacedBy: "eu-west-1" });
  expect(await keys.find(given.accessKeyId)).toBeUndefined();
});

test("unknown and malformed ids are not found", async () => {
  const { keys } = await installation();
  for (const id of ["AKIAUNKNOWNUNKNOWN11", "", "short", "a'b or 1=1 --------", "A".repeat(129)]) {
    expect(await keys.find(id)).toBeUndefined();
  }
});

test("another installation key is noticed at the start; given credentials cure it", async () => {
  const { start } = await installation();
  await start();
  const under = secretCipher(systemRandom.bytes(32), systemRandom);
  await expect(start(undefined, { under })).rejects.toThrow(SecretDecryptionError);
  expect(await start(given, { under })).toEqual({ accessKeyId: given.accessKeyId });
});

test("a key of another account and unusable credentials are refused", async () => {
  const { start } = await installation();
  await start(given);
  await expect(start(given, { of: "444455556666" })).rejects.toThrow(
    "belongs to arn:aws:iam::111122223333:root",
  );
  await expect(start({ ...given, accessKeyId: "short" })).rejects.toThrow("16 to 128");
  for (const secretAccessKey of ["short", "with a space in the middle", "x".repeat(129)]) {
    const refused = start({ ...given, secretAccessKey });
    await expect(refused).rejects.toThrow("16 to 128 printable");
    await refused.catch((error) => expect(String(error)).not.toContain(secretAccessKey));
  }
});
