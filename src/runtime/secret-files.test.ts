import { afterEach, beforeEach, expect, test } from "bun:test";
import { sign, verify } from "node:crypto";
import { chmod, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type TemporaryDirectory,
  temporaryDirectory,
} from "../../tests/support/temporary-directory.ts";
import { systemRandom } from "./clock.ts";
import {
  formatRootCredentials,
  generateInstallationKey,
  generateRegionKey,
  generateRootCredentials,
  readableByOthers,
  readInstallationKey,
  readRegionKey,
  readRootCredentials,
  SecretFileError,
  writeSecretFile,
} from "./secret-files.ts";

let directory: TemporaryDirectory;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "secret");
});

afterEach(() => directory.remove());

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SecretFileError);
  return (error as SecretFileError).message;
}

test("a secret is written for its owner alone, whole, over what was there", async () => {
  await writeFile(path, "old", { mode: 0o644 });
  await writeSecretFile(path, "new");
  expect(await Bun.file(path).text()).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory.path)).toEqual(["secret"]);
  expect(await readableByOthers(path)).toBe(false);
  await chmod(path, 0o640);
  expect(await readableByOthers(path)).toBe(true);
});

test("a region key signs, and its public half is the one of the chart", async () => {
  await writeSecretFile(path, generateRegionKey());
  const { privateKey, publicKey } = await readRegionKey(path);
  expect(publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const signature = sign(null, Buffer.from("offer"), privateKey);
  const key = { key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" } as const;
  expect(verify(null, Buffer.from("offer"), key, signature)).toBe(true);
  expect((await readRegionKey(path)).publicKey).toBe(publicKey);
});

test("root credentials come back from a file as AWS clients read it", async () => {
  const credentials = generateRootCredentials(systemRandom);
  await writeSecretFile(path, formatRootCredentials(credentials));
  expect(await readRootCredentials(path)).toEqual(credentials);
  await writeFile(
    path,
    `[other]\r\naws_access_key_id=AKIAOTHEROTHEROTHER0\r\naws_secret_access_key=${"o".repeat(40)}\r\n[ default ]\r\naws_access_key_id = ${credentials.accessKeyId}\r\naws_secret_access_key=${credentials.secretAccessKey}\r\nregion = eu\r\n`,
  );
  expect(await readRootCredentials(path)).toEqual(credentials);
});

test("an installation key comes back as its bytes", async () => {
  const text = generateInstallationKey(systemRandom);
  await writeSecretFile(path, text);
  const key = await readInstallationKey(path);
  expect(key).toHaveLength(32);
  expect(Buffer.from(key).toString("base64")).toBe(text.trim());
});

test("what cannot be used is refused with its path and without its content", async () => {
  const readers = [readRegionKey, readRootCredentials, readInstallationKey];
  const contents = ["", "hunter2-hunter2-hunter2", "\0".repeat(10), "x".repeat(100_000)];
  for (const content of contents) {
    await writeFile(path, content);
    for (const reader of readers) {
      const message = await refusal(reader(path));
      expect(message).toContain(path);
      expect(message).not.toContain("hunter2");
    }
  }
  for (const reader of readers) {
    expect(await refusal(reader(join(directory.path, "absent")))).toContain("ENOENT");
    expect(await refusal(reader(directory.path))).toContain("EISDIR");
  }
});

test("a key of another kind is no region key", async () => {
  const { generateKeyPairSync } = await import("node:crypto");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(path, String(privateKey.export({ type: "pkcs8", format: "pem" })));
  expect(await refusal(readRegionKey(path))).toContain("expected an Ed25519 key");
});
