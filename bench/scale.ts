/**
 * What grows with the database and what must not: time from start to first answer, listing and
 * pulling with 100,000 tags in one repository and 10,000 repositories, against one
 * with 200 of each: a page is full in both.
 *
 *   npm run bench:scale -- --tags 100000 --repositories 10000 --directory DIR
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sqliteMetadataStore } from "../src/metadata/sqlite.ts";
import { pushImage, wrk } from "./load.ts";
import { type BenchServer, portolan } from "./server.ts";

const { values } = parseArgs({
  options: {
    tags: { type: "string", default: "100000" },
    repositories: { type: "string", default: "10000" },
    directory: { type: "string", default: tmpdir() },
  },
});
const startBarMilliseconds = 300;
const pageful = 200;
const repository = "bench/scale";

const root = await mkdtemp(join(values.directory, "portolan-bench-"));
const data = join(root, "portolan");
let server = await portolan(data);
try {
  await pushImage(server, repository, "first", crypto.getRandomValues(new Uint8Array(65_536)));
  await server.stop();
  await fill(0, pageful, pageful);
  server = await portolan(data);
  const small = await measure(`${pageful} tags, ${pageful} repositories`);
  await server.stop();
  await fill(pageful, Number(values.tags), Number(values.repositories));
  const starts: number[] = [];
  for (let i = 0; i < 5; i++) {
    const begin = performance.now();
    server = await portolan(data);
    starts.push(performance.now() - begin);
    if (i < 4) await server.stop();
  }
  const start = starts.sort((a, b) => a - b)[2] ?? Number.NaN;
  console.log(
    `start to first answer, ${values.tags} tags (median of 5): ${start.toFixed(0)} ms, bar ${startBarMilliseconds} ms: ${start < startBarMilliseconds ? "met" : "MISSED"}`,
  );
  const large = await measure(`${values.tags} tags, ${values.repositories} repositories`);
  for (const [name, value] of Object.entries(large)) {
    const before = small[name] ?? Number.NaN;
    console.log(`${name.padEnd(28)} ${(value / before).toFixed(2)} times the small registry's`);
  }
} finally {
  await server.stop();
  await rm(root, { recursive: true, force: true });
}

async function measure(title: string): Promise<Record<string, number>> {
  const paths: Record<string, string> = {
    "GET manifest by tag": `/v2/${repository}/manifests/first`,
    "GET 100 tags": `/v2/${repository}/tags/list?n=100&last=t`,
    "GET 100 repositories": "/v2/_catalog?n=100&last=r",
  };
  const results: Record<string, number> = {};
  console.log(title);
  for (const [name, path] of Object.entries(paths)) {
    const rates: number[] = [];
    for (let i = 0; i < 3; i++) {
      rates.push(
        (await wrk(server as BenchServer, path, { connections: 16, seconds: 2 })).requestsPerSecond,
      );
    }
    const rate = rates.sort((a, b) => a - b)[1] ?? Number.NaN;
    results[name] = rate;
    console.log(`  ${name.padEnd(26)} ${rate.toFixed(0).padStart(8)} requests/s`);
  }
  return results;
}

/** Straight into the database: a hundred thousand pushes would measure something else. */
async function fill(from: number, tags: number, repositories: number): Promise<void> {
  const store = await sqliteMetadataStore({ path: join(data, "metadata.sqlite"), now: Date.now() });
  await store.transaction(async (tx) => {
    const [image] = await tx.all<{ repository_id: number; digest: string; origin: string }>(
      "select repository_id, digest, origin from tags where name = 'first'",
    );
    if (image === undefined) throw new Error("the first image is missing");
    for (let i = from; i < tags; i++) {
      await tx.all(
        `insert into tags (repository_id, name, digest, clock, origin, updated_at)
         values ($1, $2, $3, $4, $5, 0)`,
        [image.repository_id, `tag-${i}`, image.digest, "000000000000001.000000", image.origin],
      );
    }
    for (let i = from; i < repositories; i++) {
      await tx.all(
        "insert into repositories (id, account, name, created_at) values ($1, '111122223333', $2, 0)",
        [1_000_000 + i, `repository/${i}`],
      );
    }
  });
  await store.close();
}
