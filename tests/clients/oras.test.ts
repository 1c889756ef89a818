/**
 * oras-go, the library of oras, helm and notation, by a small program of ours (`oras-client/`), and
 * helm itself when it is there.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import {
  connectRegistry,
  type ReferrerDescriptor,
  type RegistryConnection,
} from "../support/registry-connection.ts";
import { mountedBlobs, uploadedBlobs } from "../support/request-log.ts";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { findTool } from "../support/tools.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const program = findTool("oras-client");
const available = requirement(
  "oras",
  program !== undefined,
  "oras-client (cd tests/clients/oras-client && go install .)",
);
const helm = findTool("helm");
const helmAvailable = requirement(
  "helm",
  helm !== undefined,
  "helm (go install helm.sh/helm/v3/cmd/helm@latest)",
);

let server: ServerProcess;
let registry: RegistryConnection;
let home: ClientHome;
beforeAll(async () => {
  server = await startServer();
  registry = connectRegistry(server.endpoint, server.authorization);
  home = clientHome();
});
afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

describe.skipIf(!available)("oras-go", () => {
  const environment = () => ({
    ...home.environment,
    ORAS_USERNAME: server.credentials.accessKeyId,
    ORAS_PASSWORD: server.credentials.secretAccessKey,
  });
  const oras = async (...command: string[]) =>
    (await runCommand([program ?? "", ...command], { environment: environment() })).trim();
  const name = (image: string) => `${server.host}/${image}`;
  const write = async (file: string, text: string) => {
    await Bun.write(join(home.path, file), text);
    return join(home.path, file);
  };

  test("an artifact is pushed and pulled with its files", async () => {
    const files = [await write("one.txt", "one\n"), await write("two.txt", "zwei\n")];
    const digest = await oras("push", name("artifact:1"), "application/vnd.example.pair", ...files);
    expect((await registry.verifyImage("artifact", "1")).digest as string).toBe(digest);
    const target = join(home.path, "pulled");
    await oras("pull", name("artifact:1"), target);
    expect(await Bun.file(join(target, "two.txt")).text()).toBe("zwei\n");
    const before = (await server.requests()).length;
    await oras("copy", name("artifact:1"), name("artifact:again"));
    expect(uploadedBlobs((await server.requests()).slice(before), "artifact")).toEqual([]);
    expect(await oras("tags", name("artifact"))).toBe("1\nagain");
  });

  test("referrers, of a referrer too, are found, filtered, and copied with their subject", async () => {
    await oras("push", name("app:1"), "application/vnd.example.app", await write("app", "app\n"));
    const bill = await write("sbom.json", "{}\n");
    const first = await oras("attach", name("app:1"), "application/spdx+json", bill);
    const other = await oras("attach", name("app:1"), "application/vnd.example.note", bill);
    const signature = await write("signature", "signed\n");
    const second = await oras(
      "attach",
      name(`app@${first}`),
      "application/vnd.example.signature",
      signature,
    );

    const referrers = async (reference: string, ...type: string[]) => {
      const answer = await oras("referrers", name(reference), ...type);
      return (JSON.parse(answer) as ReferrerDescriptor[]).map(({ digest }) => digest as string);
    };
    expect((await referrers("app:1")).sort()).toEqual([first, other].sort());
    expect(await referrers("app:1", "application/spdx+json")).toEqual([first]);
    expect(await referrers(`app@${first}`)).toEqual([second]);
    // No tag `sha256-…`: the client has seen that the registry knows referrers.
    expect(await registry.listTags("app")).toEqual(["1"]);

    const before = (await server.requests()).length;
    await oras("copy", name("app:1"), name("elsewhere/app:1"));
    expect((await referrers("elsewhere/app:1")).sort()).toEqual([first, other].sort());
    expect(await referrers(`elsewhere/app@${first}`)).toEqual([second]);
    const requests = (await server.requests()).slice(before);
    expect(mountedBlobs(requests, "elsewhere/app").length).toBeGreaterThan(0);

    await oras("delete", name(`app@${other}`));
    expect(await referrers("app:1")).toEqual([first]);
  });

  test("the wrong password is refused, what is missing is not found", async () => {
    const refused = await attemptCommand([program ?? "", "tags", name("app")], {
      environment: { ...environment(), ORAS_PASSWORD: "wrong" },
    });
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("401");
    const missing = await oras("pull", name("app:missing"), home.path).catch(String);
    expect(missing).toContain("not found");
  });
});

describe.skipIf(!helmAvailable)("helm", () => {
  const run = (...command: string[]) =>
    attemptCommand([helm ?? "", ...command], {
      environment: {
        ...home.environment,
        HELM_REGISTRY_CONFIG: join(home.path, "helm-registry.json"),
      },
      directory: home.path,
    });

  test("a chart is pushed, shown and pulled", async () => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const flags = ["--plain-http", "-u", accessKeyId, "-p", secretAccessKey];
    const login = await run("registry", "login", ...flags, server.host);
    expect(login.stderr).toContain("Login Succeeded");
    expect((await run("create", "harbour")).exitCode).toBe(0);
    const chart = join(home.path, "harbour");
    // A plus sign is no character of a tag: helm writes an underscore.
    await run("package", chart, "--version=1.2.3+build.4");
    const archive = join(home.path, "harbour-1.2.3+build.4.tgz");
    const pushed = await run("push", "--plain-http", archive, `oci://${server.host}/charts`);
    expect(pushed.stderr).toContain("Digest: sha256:");
    expect(await registry.listTags("charts/harbour")).toEqual(["1.2.3_build.4"]);
    const image = await registry.verifyImage("charts/harbour", "1.2.3_build.4");
    expect(pushed.stderr).toContain(image.digest);

    const reference = [
      "--plain-http",
      "--version=1.2.3+build.4",
      `oci://${server.host}/charts/harbour`,
    ];
    expect((await run("show", "chart", ...reference)).stdout).toContain("name: harbour");
    const pulled = await run("pull", "--untar", "--untardir=pulled", ...reference);
    expect(pulled.exitCode).toBe(0);
    expect(await Bun.file(join(home.path, "pulled", "harbour", "Chart.yaml")).exists()).toBe(true);
  });
});
