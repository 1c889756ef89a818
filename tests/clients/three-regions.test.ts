/**
 * Three separately started processes, as an operator starts them: an image pushed with docker to
 * one is pulled by digest from another after the first was killed.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { runCommand } from "../support/command.ts";
import { type DockerDaemon, haveDocker, startDockerDaemon } from "../support/docker-daemon.ts";
import { haveTestImages, imageToolsHint, type TestImages, testImages } from "../support/images.ts";
import {
  haveAws,
  type RegionProcesses,
  startRegionProcesses,
} from "../support/region-processes.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { requirement } from "../support/require.ts";
import { pushSyntheticImage } from "../support/synthetic-image.ts";
import { syntheticImages } from "../support/synthetic-images.ts";
import { waitUntil } from "../support/wait-until.ts";

// Images of a hundred megabytes on a busy machine.
setDefaultTimeout(120_000);

const available = [
  requirement("clients", haveAws, "aws (apt-get install awscli)"),
  requirement(
    "clients",
    haveDocker && process.getuid?.() === 0,
    "docker and root (apt-get install docker.io)",
  ),
  requirement("clients", haveTestImages(), imageToolsHint),
].every(Boolean);

const first = "us-east-1";
const others = ["eu-west-1", "sa-east-1"] as const;

describe.skipIf(!available)("three regions", () => {
  let images: TestImages;
  let regions: RegionProcesses;
  let home: ClientHome;
  let daemon: DockerDaemon;

  beforeAll(async () => {
    images = await testImages();
    regions = await startRegionProcesses(first, ...others);
    home = clientHome();
    daemon = await startDockerDaemon(home.environment);
    const destinations = others.map((region) => ({ region, registryId: regions.account }));
    await regions.aws(
      ...([first, "put-replication-configuration", "--replication-configuration"] as const),
      JSON.stringify({ rules: [{ destinations }] }),
    );
    for (const name of regions.names) await login(name);
    await load(images.debianVersion1, "debian:1");
    await load(images.manyLayers, "tower:1");
  }, 600_000);
  afterAll(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
    await regions?.[Symbol.asyncDispose]();
  });

  const host = (region: string) => regions.region(region).host;
  const connect = (region: string): RegistryConnection => {
    const { endpoint, authorization } = regions.region(region);
    return connectRegistry(endpoint, authorization);
  };
  const login = async (region: string) => {
    const { accessKeyId, secretAccessKey } = regions.credentials;
    await daemon.docker("login", "-u", accessKeyId, "-p", secretAccessKey, host(region));
  };
  const load = (source: string, image: string) =>
    runCommand([
      ...["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-daemon-host", daemon.address],
      ...[source, `docker-daemon:${image}`],
    ]);
  /** @returns the digest that docker reports */
  const push = async (image: string, region: string, target: string): Promise<string> => {
    await daemon.docker("tag", image, `${host(region)}/${target}`);
    const words = await daemon.docker("push", `${host(region)}/${target}`);
    return /digest: (\S+)/.exec(words)?.[1] ?? "none";
  };
  const arrival = (region: string, repository: string, tag: string, digest: string) =>
    waitUntil(
      `${repository}:${tag} in ${region}`,
      async () => (await connect(region).findDigest(repository, tag)) === digest,
      { deadlineMilliseconds: 60_000 },
    );
  const forgetImages = async () => {
    const ids = (await daemon.docker("images", "--quiet", "--no-trunc")).split("\n");
    await daemon.docker("rmi", "--force", ...new Set(ids));
  };

  test("pushed to the first, the first killed, pulled by digest from the others and run", async () => {
    const digest = await push("debian:1", first, "app:1");
    await waitUntil("the replication's status", async () => {
      const answer = (await regions.aws(
        ...([first, "describe-image-replication-status", "--repository-name", "app"] as const),
        ...["--image-id", `imageDigest=${digest}`],
      )) as { replicationStatuses: { region: string; status: string }[] };
      const complete = answer.replicationStatuses.filter(({ status }) => status === "COMPLETE");
      return complete.length === others.length;
    });
    const pushed = await connect(first).verifyImage("app", "1");
    await regions.region(first).kill();
    await forgetImages();
    for (const region of others) {
      expect(await connect(region).verifyImage("app", "1")).toEqual(pushed);
      const image = `${host(region)}/app@${digest}`;
      await daemon.docker("pull", image);
      expect(await daemon.docker("run", "--rm", "--network=none", image)).toBe("version 1");
      await daemon.docker("tag", image, "debian:1");
    }
    await regions.region(first).start();
    expect(await connect(first).verifyImage("app", "1")).toEqual(pushed);
  });

  test("killed right behind the acknowledgement: it arrives when the first is back", async () => {
    await load(images.manyLayers, "tower:1");
    const digest = await push("tower:1", first, "tower:1");
    await regions.region(first).kill();
    await regions.region(first).start();
    for (const region of others) await arrival(region, "tower", "1", digest);
    const pushed = await connect(first).verifyImage("tower", "1");
    for (const region of others) {
      expect(await connect(region).verifyImage("tower", "1")).toEqual(pushed);
    }
  });

  test("a destination that is away does not keep the other from getting it, and gets it later", async () => {
    const [near, away] = others;
    await regions.region(away).kill();
    const digest = await push("tower:1", first, "away/tower:2");
    await arrival(near, "away/tower", "2", digest);
    await regions.region(away).start();
    await arrival(away, "away/tower", "2", digest);
    await connect(away).verifyImage("away/tower", "2");
  });

  test("an index arrives whole, and the region that got it by replication serves its parts", async () => {
    const { accessKeyId, secretAccessKey } = regions.credentials;
    const credentials = `${accessKeyId}:${secretAccessKey}`;
    await runCommand([
      ...["skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false"],
      ...["--dest-creds", credentials, images.multiArchitecture, `docker://${host(first)}/multi:1`],
    ]);
    const pushed = await connect(first).verifyImage("multi", "1");
    expect(pushed.digests.length).toBe(7);
    for (const region of others) {
      await arrival(region, "multi", "1", pushed.digest);
      expect(await connect(region).verifyImage("multi", "1")).toEqual(pushed);
    }
    const inspected = await runCommand([
      ...["skopeo", "--override-arch=arm64", "inspect", "--tls-verify=false"],
      ...["--creds", credentials, `docker://${host(others[0])}/multi:1`],
    ]);
    expect(JSON.parse(inspected)).toMatchObject({ Architecture: "arm64" });
  });

  test("every shape of image arrives byte for byte", async () => {
    const images = syntheticImages();
    for (const image of images) {
      await pushSyntheticImage(connect(first), `shapes/${image.name}`, image);
    }
    for (const region of others) {
      const registry = connect(region);
      for (const { name, manifests } of images) {
        for (const { digest, tags, bytes, mediaType } of manifests) {
          for (const reference of [digest, ...tags]) {
            await arrival(region, `shapes/${name}`, reference, digest);
          }
          const pulled = await registry.getManifest(`shapes/${name}`, digest);
          expect(Buffer.compare(pulled.bytes, bytes)).toBe(0);
          expect(pulled.mediaType).toBe(mediaType);
        }
        await registry.verifyImage(`shapes/${name}`, manifests.at(-1)?.digest ?? "");
      }
    }
  });
});
