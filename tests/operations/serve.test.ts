/** `portolan serve` as an operator meets it: first start, second start, and starts that must fail. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pullBlob, pushBlob, testBlob } from "./blob-transfers.ts";
import { authorization, rootCredentials, runPortolan, startServer } from "./portolan-process.ts";

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

async function statusFor(url: string, credentials?: string): Promise<number> {
  const headers = credentials === undefined ? {} : { authorization: credentials };
  return (await fetch(url, { headers })).status;
}

describe("the first start", () => {
  test("makes root credentials once, in a file and in no log", async () => {
    using directory = temporaryDirectory();
    const data = join(directory.path, "data");
    let log = "";
    {
      await using server = await startServer(["--data", data], { ownCredentials: true });
      const { path } = await server.line("root credentials made");
      const text = readFileSync(String(path), "utf8");
      const id = /aws_access_key_id = (\S+)/.exec(text)?.[1] ?? "";
      const secret = /aws_secret_access_key = (\S+)/.exec(text)?.[1] ?? "";
      expect(statSync(String(path)).mode & 0o777).toBe(0o600);
      expect(statSync(join(data, "installation-key")).mode & 0o777).toBe(0o600);
      expect(statSync(data).mode & 0o777).toBe(0o700);
      expect(await statusFor(`${server.url}/v2/`, basic(id, secret))).toBe(200);
      expect(await statusFor(`${server.url}/v2/`, basic(id, `${secret}x`))).toBe(401);
      expect(await statusFor(`${server.url}/v2/`)).toBe(401);
      server.signal("SIGTERM");
      expect(await server.ended).toBe(0);
      log = JSON.stringify(server.lines) + server.stderr();
      expect(log).not.toContain(secret);

      await using again = await startServer(["--data", data], { ownCredentials: true });
      expect(await statusFor(`${again.url}/v2/`, basic(id, secret))).toBe(200);
      expect(again.lines.some(({ message }) => message === "root credentials made")).toBe(false);
    }
  }, 120_000);
});

describe("a running server", () => {
  test("tells its health, its metrics and its log", async () => {
    using directory = temporaryDirectory();
    await using server = await startServer(["--data", directory.path]);
    const ready = await fetch(`${server.url}/healthz/ready`);
    expect(await ready.json()).toMatchObject({ status: "ready" });
    const blob = testBlob(1000);
    expect(await pushBlob(server, "app", blob)).toBe(201);
    await pullBlob(server, "app", blob.digest);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(
      /portolan_http_requests_total\{endpoint="get-blob",method="GET",status="200"\} 1\n/,
    );
    expect(metrics).toContain('portolan_build_info{version="');
    expect(metrics).toMatch(
      /portolan_metadata_transaction_duration_seconds_count\{durable="yes"\} [1-9]/,
    );
    expect(metrics).toContain("portolan_uploads_open 0\n");
    // Through a proxy nobody is local.
    const forwarded = { "x-forwarded-for": "192.0.2.1" };
    expect((await fetch(`${server.url}/metrics`, { headers: forwarded })).status).toBe(401);
    const line = await server.line("request", ({ endpoint }) => endpoint === "get-blob");
    expect(line).toMatchObject({
      method: "GET",
      path: `/v2/app/blobs/${blob.digest}`,
      status: 200,
      repository: "app",
      principal: "arn:aws:iam::111122223333:root",
      clientAddress: "127.0.0.1",
      level: "info",
    });
    expect(JSON.stringify(server.lines)).not.toContain(rootCredentials.secretAccessKey);
  }, 120_000);

  test("is not ready when it cannot write", async () => {
    using directory = temporaryDirectory();
    await using server = await startServer(["--data", directory.path]);
    // A directory in the place of the probe: refuses also a test that runs as root.
    mkdirSync(join(directory.path, ".healthz"));
    const response = await fetch(`${server.url}/healthz/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: "not ready",
      checks: [
        { name: "metadata", ok: true },
        { name: "blobs", ok: false, reason: "EISDIR" },
      ],
    });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.line("health check failed");
  }, 120_000);

  test("logs only what is asked for", async () => {
    using directory = temporaryDirectory();
    await using server = await startServer(["--data", directory.path, "--log-requests", "errors"]);
    await statusFor(`${server.url}/v2/`, authorization);
    await statusFor(`${server.url}/v2/`);
    await statusFor(`${server.url}/v2/`, basic("AKIANOBODYNOBODY0000", "wrong"));
    await server.line("request", ({ status }) => status === 401);
    expect(server.lines.filter(({ message }) => message === "request")).toHaveLength(1);
  }, 120_000);

  test("collects garbage by itself, beside its traffic", async () => {
    using directory = temporaryDirectory();
    await using server = await startServer([
      ...["--data", directory.path, "--set", "garbageCollection.interval=100ms"],
      ...["--set", "registry.garbageGrace=0"],
    ]);
    const blob = testBlob(10_000);
    expect(await pushBlob(server, "app", blob)).toBe(201);
    const collected = await server.line("garbage collected", ({ blobs }) => blobs === 1);
    expect(collected).toMatchObject({ level: "info", region: "us-east-1", blobsBytes: 10_000 });
    expect(await statusFor(`${server.url}/v2/app/blobs/${blob.digest}`, authorization)).toBe(404);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain("portolan_garbage_bytes_total 10000\n");
    server.signal("SIGTERM");
    expect(await server.ended).toBe(0);
  }, 120_000);

  test("SIGHUP without TLS does nothing", async () => {
    using directory = temporaryDirectory();
    await using server = await startServer(["--data", directory.path]);
    server.signal("SIGHUP");
    expect(await statusFor(`${server.url}/healthz`)).toBe(200);
  }, 120_000);
});

describe("one data directory", () => {
  test("has one server, and none is locked out by one that was killed", async () => {
    using directory = temporaryDirectory();
    const data = ["--data", directory.path];
    for (const end of ["SIGKILL", "SIGTERM"] as const) {
      await using server = await startServer(data);
      const second = await runPortolan(["serve", "--listen", "127.0.0.1:0", ...data]);
      expect(second.exitCode).toBe(1);
      expect(second.stderr).toContain(`another server uses the data directory ${directory.path}`);
      expect(second.stderr).toContain(`process ${server.processId}`);
      expect(await statusFor(`${server.url}/healthz/ready`)).toBe(200);
      server.signal(end);
      await server.ended;
    }
    await using third = await startServer(data);
    expect(await statusFor(`${third.url}/healthz/ready`)).toBe(200);
  }, 120_000);

  test("belongs to one region for ever", async () => {
    using directory = temporaryDirectory();
    const data = ["--data", directory.path, "--listen", "127.0.0.1:0"];
    {
      await using server = await startServer([...data, "--region", "us-east-1"]);
      server.signal("SIGTERM");
      await server.ended;
    }
    const other = await runPortolan(["serve", ...data, "--region", "eu-west-1"]);
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain("belongs to the region us-east-1, not to eu-west-1");
  }, 120_000);

  test("keeps its secrets under its installation key", async () => {
    using directory = temporaryDirectory();
    const data = ["--data", directory.path];
    {
      await using server = await startServer(data, { ownCredentials: true });
      server.signal("SIGTERM");
      await server.ended;
    }
    writeFileSync(join(directory.path, "installation-key"), `${btoa("x".repeat(32))}\n`);
    const lost = await runPortolan(["serve", "--listen", "127.0.0.1:0", ...data]);
    expect(lost.exitCode).toBe(1);
    expect(lost.stderr).toContain("another installation key");
  }, 120_000);
});

describe("a start that cannot work", () => {
  test("says what is wrong, and leaves nothing behind", async () => {
    using directory = temporaryDirectory();
    const data = join(directory.path, "data");
    await using server = await startServer(["--data", join(directory.path, "other")]);
    const listen = `127.0.0.1:${server.port}`;
    const taken = await runPortolan(["serve", "--data", data, "--listen", listen]);
    expect(taken.exitCode).toBe(1);
    expect(taken.stderr).toContain(`cannot listen on ${listen}: another process listens there`);

    const blocked = join(directory.path, "file");
    writeFileSync(blocked, "");
    const noDirectory = await runPortolan(["serve", "--data", join(blocked, "data")]);
    expect(noDirectory.exitCode).toBe(1);
    expect(noDirectory.stderr).toContain("cannot be made");

    const absent = await runPortolan(["serve", "--config", "absent.yaml"]);
    expect(absent.exitCode).toBe(2);
    expect(absent.stderr).toContain("absent.yaml cannot be read (ENOENT)");

    const wrong = await runPortolan(["serve", "--region", "X", "--set", "limts.idle=1m"]);
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain("--region: region: expected a region name");
    expect(wrong.stderr).toContain("did you mean limits.idle?");
    for (const { stderr } of [taken, noDirectory, absent, wrong]) {
      expect(stderr).not.toContain("    at ");
    }
    // The next one finds no lock and no half-made state.
    await using next = await startServer(["--data", data]);
    expect(await statusFor(`${next.url}/healthz/ready`)).toBe(200);
  }, 120_000);
});

describe("an installation that `chart init` wrote", () => {
  test("has the same root credentials in every region, and a key of its own in each", async () => {
    using directory = temporaryDirectory();
    const out = join(directory.path, "chart");
    const regions = ["us-east-1=http://127.0.0.1:5001", "eu-west-1=http://127.0.0.1:5002"];
    const args = ["chart", "init", ...regions, "--account", "111122223333", "--out", out];
    const written = await runPortolan([...args, "--json"]);
    expect(written.exitCode).toBe(0);
    const chart = JSON.parse(written.stdout) as {
      regions: { name: string; configuration: string }[];
      rootCredentials: typeof rootCredentials;
    };
    const { accessKeyId, secretAccessKey } = chart.rootCredentials;
    for (const { name, configuration } of chart.regions) {
      const check = await runPortolan(["config", "check", "--config", configuration]);
      expect(check).toEqual({
        exitCode: 0,
        stdout: `${configuration} is valid\n`,
        stderr: "",
      });
      await using server = await startServer(["--config", configuration], { ownCredentials: true });
      const ready = await server.line("ready");
      expect(ready).toMatchObject({ region: name, configuration });
      expect(String(ready.endpoint)).toStartWith("http://127.0.0.1:500");
      expect(await statusFor(`${server.url}/v2/`, basic(accessKeyId, secretAccessKey))).toBe(200);
      expect(existsSync(join(out, name, "data", "metadata.sqlite"))).toBe(true);
      expect(JSON.stringify(server.lines)).not.toContain(secretAccessKey);
    }
    // A key that was swapped with another region's is noticed.
    const swapped = join(out, "us-east-1", "region-key.pem");
    writeFileSync(swapped, readFileSync(join(out, "eu-west-1", "region-key.pem")));
    chmodSync(swapped, 0o644);
    const wrong = await runPortolan([
      "config",
      "check",
      "--config",
      chart.regions[0]?.configuration ?? "",
    ]);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain("not the key of us-east-1 in the chart");
    expect(wrong.stderr).toContain("others may read this file");
  }, 120_000);
});
