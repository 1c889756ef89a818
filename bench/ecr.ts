/**
 * The ECR API with a large repository: pages of DescribeImages and ListImages, and how many tokens a
 * second GetAuthorizationToken gives.
 *
 *   npm run bench:ecr -- --images 100000 --directory DIR
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DescribeImagesCommand, ECRClient, ListImagesCommand } from "@aws-sdk/client-ecr";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "../src/aws/sha256.ts";
import { sqliteMetadataStore } from "../src/metadata/sqlite.ts";
import { pushImage } from "./load.ts";
import { portolan } from "./server.ts";

const { values } = parseArgs({
  options: {
    images: { type: "string", default: "100000" },
    directory: { type: "string", default: tmpdir() },
  },
});
const images = Number(values.images);
const repositoryName = "bench/images";
const region = "us-east-1";
const pageBarMilliseconds = 50;
const tokensBar = 2000;

const root = await mkdtemp(join(values.directory, "portolan-bench-"));
const data = join(root, "portolan");
let server = await portolan(data);
try {
  await pushImage(server, repositoryName, "first", crypto.getRandomValues(new Uint8Array(1024)));
  await server.stop();
  await fill();
  server = await portolan(data);
  const [accessKeyId = "", secretAccessKey = ""] = atob(
    (server.headers.authorization ?? "").replace("Basic ", ""),
  ).split(":");
  const credentials = { accessKeyId, secretAccessKey };
  const ecr = new ECRClient({ endpoint: server.url, region, credentials });
  for (const [name, page] of Object.entries({
    DescribeImages: (nextToken: string | undefined) =>
      ecr.send(new DescribeImagesCommand({ repositoryName, maxResults: 1000, nextToken })),
    ListImages: (nextToken: string | undefined) =>
      ecr.send(new ListImagesCommand({ repositoryName, maxResults: 1000, nextToken })),
  })) {
    const times: number[] = [];
    let nextToken: string | undefined;
    let found = 0;
    for (let pages = 0; pages < 30; pages++) {
      const begin = performance.now();
      const answer = await page(nextToken);
      times.push(performance.now() - begin);
      found += "imageIds" in answer ? (answer.imageIds?.length ?? 0) : 1000;
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
    times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
    const most = times.at(-1) ?? Number.NaN;
    console.log(
      `${name}, pages of 1,000 of ${images}, ${found} seen: median ${median.toFixed(1)} ms, most ${most.toFixed(1)} ms, with the SDK's own time; bar ${pageBarMilliseconds} ms: ${median < pageBarMilliseconds ? "met" : "MISSED"}`,
    );
  }
  ecr.destroy();
  const rate = await tokensPerSecond(credentials);
  console.log(
    `GetAuthorizationToken, 32 at once: ${rate.toFixed(0)} per second; bar ${tokensBar}: ${rate >= tokensBar ? "met" : "MISSED"}`,
  );
  console.log(`${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await server.stop();
  await rm(root, { recursive: true, force: true });
}

/** One signature for all: what is measured is the server, and signing costs more than checking. */
async function tokensPerSecond(credentials: {
  accessKeyId: string;
  secretAccessKey: string;
}): Promise<number> {
  const url = new URL(server.url);
  const signer = new SignatureV4({ service: "ecr", region, credentials, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: "POST",
    protocol: "http:",
    hostname: url.hostname,
    path: "/",
    headers: {
      host: url.host,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    },
    body: "{}",
  });
  let answered = 0;
  const until = performance.now() + 4000;
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (performance.now() < until) {
        const response = await fetch(`${server.url}/`, { method: "POST", headers, body: "{}" });
        if (!response.ok) throw new Error(`GetAuthorizationToken: ${await response.text()}`);
        await response.arrayBuffer();
        answered++;
      }
    }),
  );
  return answered / 4;
}

/** Straight into the database: a hundred thousand pushes would measure something else. */
async function fill(): Promise<void> {
  const store = await sqliteMetadataStore({ path: join(data, "metadata.sqlite"), now: Date.now() });
  await store.transaction(async (tx) => {
    const [first] = await tx.all<{ repository_id: number; digest: string; origin: string }>(
      "select repository_id, digest, origin from tags where name = 'first'",
    );
    if (first === undefined) throw new Error("the first image is missing");
    for (let i = 0; i < images; i++) {
      const digest = `sha256:${Bun.CryptoHasher.hash("sha256", `image ${i}`, "hex")}`;
      await tx.all(
        `insert into manifests (repository_id, digest, media_type, bytes, artifact_type, subject,
           annotations, pushed_at, origin)
         select repository_id, $2, media_type, bytes, artifact_type, subject, annotations, $4, origin
         from manifests where repository_id = $1 and digest = $3`,
        [first.repository_id, digest, first.digest, i],
      );
      await tx.all(
        `insert into manifest_references (repository_id, manifest, position, role, digest,
           media_type, size, required)
         select repository_id, $2, position, role, digest, media_type, size, required
         from manifest_references where repository_id = $1 and manifest = $3`,
        [first.repository_id, digest, first.digest],
      );
      await tx.all(
        `insert into tags (repository_id, name, digest, clock, origin, updated_at)
         values ($1, $2, $3, $4, $5, 0)`,
        [first.repository_id, `tag-${i}`, digest, "000000000000001.000000", first.origin],
      );
    }
  });
  await store.close();
}
