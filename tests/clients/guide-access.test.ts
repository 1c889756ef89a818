/** Runs docs/guides/access.md as its reader would, so that it stays true. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand } from "../support/command.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import { requirement } from "../support/require.ts";
import { portolanCommand, type ServerProcess, startServer } from "../support/server-process.ts";

setDefaultTimeout(300_000);

const available = [
  requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)"),
  requirement("clients", Bun.which("aws") !== null, "aws (apt-get install awscli)"),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

describe.skipIf(!available)("docs/guides/access.md", () => {
  let images: TestImages;
  let server: ServerProcess;
  let home: ClientHome;

  beforeAll(async () => {
    images = await testImages();
    server = await startServer();
    home = clientHome();
  }, 600_000);
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  test("every command does what the page says", async () => {
    const page = readFileSync(join(import.meta.dir, "../../docs/guides/access.md"), "utf8");
    const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
    expect(blocks.length).toBeGreaterThan(8);
    // The command on the machine of the region: with its data directory, as a package would have it.
    const program = join(home.path, "portolan");
    const quoted = portolanCommand().map((part) => `'${part}'`);
    writeFileSync(
      program,
      `#!/bin/sh\nexec ${quoted.join(" ")} "$@" --data '${server.dataDirectory}' --region ${server.region}\n`,
    );
    chmodSync(program, 0o755);
    const script = join(home.path, "guide.sh");
    writeFileSync(script, `set -euo pipefail\n${blocks.join("\n")}\necho the end of the page\n`);
    const result = await attemptCommand(["bash", script], {
      directory: home.path,
      timeoutSeconds: 280,
      environment: {
        ...home.environment,
        PATH: `${home.path}:${process.env.PATH}`,
        ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_PAGER: "",
        REGISTRY: server.host,
        IMAGE: images.debianVersion1,
        OTHER_IMAGE: images.debianVersion2,
      },
    });
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("the end of the page"),
    });
  });
});
