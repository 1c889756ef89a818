import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { readRegistryCredentials } from "./registry-credentials.ts";

const directory = temporaryDirectory();
afterAll(() => directory.remove());
const endpoint = "https://registry.example.com:5000";
let files = 0;

async function fileWith(text: string): Promise<string> {
  const path = join(directory.path, `${files++}`);
  await Bun.write(path, text);
  return path;
}

describe("a password", () => {
  const read = async (document: unknown) =>
    readRegistryCredentials(
      { kind: "basic", file: await fileWith(JSON.stringify(document)) },
      endpoint,
    );

  test("is read from what docker login and podman login write", async () => {
    const expected = { kind: "basic" as const, username: "user", password: "a:b" };
    const auth = btoa("user:a:b");
    for (const name of ["registry.example.com:5000", endpoint]) {
      expect(await read({ auths: { [name]: { auth } }, credsStore: "x" })).toEqual(expected);
    }
    const plain = { username: "user", password: "a:b" };
    expect(await read({ auths: { "registry.example.com:5000": plain } })).toEqual(expected);
  });

  test("that is not there is told without the others", async () => {
    const auth = btoa("user:secret");
    for (const document of [{ auths: { "other.example.com": { auth } } }, { auths: {} }]) {
      await expect(read(document)).rejects.toThrow("for registry.example.com:5000");
    }
    for (const document of [1, [], {}, { auths: 1 }, { auths: { a: 1 } }]) {
      await expect(read(document)).rejects.toThrow("docker login");
    }
    const file = join(directory.path, "none");
    await expect(readRegistryCredentials({ kind: "basic", file }, endpoint)).rejects.toThrow(
      "ENOENT",
    );
  });

  test("is read from the environment", async () => {
    const credentials = { kind: "basic", environment: "BACKUP" } as const;
    const environment = { BACKUP_USERNAME: "user", BACKUP_PASSWORD: "p" };
    expect(await readRegistryCredentials(credentials, endpoint, environment)).toEqual({
      ...{ kind: "basic", username: "user", password: "p" },
    });
    await expect(readRegistryCredentials(credentials, endpoint, {})).rejects.toThrow(
      "BACKUP_USERNAME and BACKUP_PASSWORD are not set",
    );
  });
});

test("AWS keys are read from a shared credentials file or the environment", async () => {
  const file = await fileWith(
    "[other]\naws_access_key_id = X\n[default]\naws_access_key_id = A\naws_secret_access_key=S\naws_session_token = T\n",
  );
  const expected = { kind: "ecr", accessKeyId: "A", secretAccessKey: "S", sessionToken: "T" };
  expect(await readRegistryCredentials({ kind: "ecr", file }, endpoint)).toEqual(expected as never);
  const variables = { AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "S", AWS_SESSION_TOKEN: "T" };
  const environment = { kind: "ecr", environment: "AWS" } as const;
  expect(await readRegistryCredentials(environment, endpoint, variables)).toEqual(
    expected as never,
  );
  await expect(readRegistryCredentials(environment, endpoint, {})).rejects.toThrow("are not set");
  const empty = await fileWith("[default]\n");
  await expect(readRegistryCredentials({ kind: "ecr", file: empty }, endpoint)).rejects.toThrow(
    "under [default]",
  );
});
