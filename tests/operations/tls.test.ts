/** The server speaks TLS, and takes a renewed certificate without being stopped. */
import { describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";
import { requirement } from "../support/require.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pullBlob, pushBlob, startUpload, testBlob } from "./blob-transfers.ts";
import { type CertificateFiles, hasOpenssl, makeCertificate } from "./certificates.ts";
import { authorization, runPortolan, type ServerProcess, startServer } from "./portolan-process.ts";

const available = requirement("clients", hasOpenssl, "openssl (apt-get install openssl)");

/** A verified connection: wrong names and unknown issuers are errors. */
function connectTo(server: ServerProcess, { certificate }: CertificateFiles): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(certificate, "utf8");
    const socket = connect({ host: "127.0.0.1", port: server.port, ca, servername: "localhost" });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
  });
}

async function commonName(server: ServerProcess, files: CertificateFiles): Promise<string> {
  const socket = await connectTo(server, files);
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

const tlsArguments = (data: string, { certificate, key }: CertificateFiles) => [
  ...["--data", data, "--tls-certificate", certificate, "--tls-key", key],
];

describe.skipIf(!available)("TLS", () => {
  test("a push and a pull; plain HTTP gets nothing", async () => {
    using directory = temporaryDirectory();
    const files = makeCertificate(directory.path, "one");
    await using server = await startServer(tlsArguments(`${directory.path}/data`, files));
    const blob = testBlob(5_000_000);
    expect(await pushBlob(server, "app", blob)).toBe(201);
    expect(Buffer.compare(await pullBlob(server, "app", blob.digest), blob.bytes)).toBe(0);
    const plain = await fetch(`http://127.0.0.1:${server.port}/healthz`).then(
      ({ status }) => status,
      () => "refused",
    );
    expect(plain).not.toBe(200);
    const challenge = await fetch(`${server.url}/v2/`, { tls: { rejectUnauthorized: false } });
    expect(challenge.headers.get("www-authenticate")).toStartWith('Basic realm="https://');
    expect(String((await server.line("ready")).endpoint)).toStartWith("https://127.0.0.1:");
  }, 120_000);

  test("SIGHUP takes the new certificate, and an upload under the old one goes on", async () => {
    using directory = temporaryDirectory();
    const live = makeCertificate(directory.path, "live");
    const old = makeCertificate(directory.path, "old");
    const renewed = makeCertificate(directory.path, "renewed");
    const install = ({ certificate, key }: CertificateFiles) => {
      copyFileSync(certificate, live.certificate);
      copyFileSync(key, live.key);
    };
    install(old);
    await using server = await startServer(tlsArguments(`${directory.path}/data`, live));
    expect(await commonName(server, old)).toBe("old");

    const blob = testBlob(2_000_000);
    const location = await startUpload(server, "app");
    const upload = await connectTo(server, old);
    let answer = "";
    upload.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    const ended = new Promise((resolve) => upload.once("close", resolve));
    const url = `${location}${location.includes("?") ? "&" : "?"}digest=${blob.digest}`;
    upload.write(
      `PUT ${url} HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: ${blob.bytes.length}\r\n\r\n`,
    );
    upload.write(blob.bytes.subarray(0, 500_000));

    install(renewed);
    server.signal("SIGHUP");
    await server.line("certificate read again");
    expect(await commonName(server, renewed)).toBe("renewed");
    upload.write(blob.bytes.subarray(500_000));
    await ended;
    expect(answer).toContain("HTTP/1.1 201");
    expect(Buffer.compare(await pullBlob(server, "app", blob.digest), blob.bytes)).toBe(0);
  }, 120_000);

  test("a renewal that cannot be used leaves the old certificate in place", async () => {
    using directory = temporaryDirectory();
    const live = makeCertificate(directory.path, "live");
    const other = makeCertificate(directory.path, "other");
    await using server = await startServer(tlsArguments(`${directory.path}/data`, live));
    const original = temporaryDirectory();
    const kept = { ...live, certificate: `${original.path}/kept.pem` };
    copyFileSync(live.certificate, kept.certificate);
    let failures = 0;
    const failAgain = async () => {
      failures++;
      server.signal("SIGHUP");
      const message = "the certificate cannot be used; the old one stays";
      await server.line(
        message,
        (line) => server.lines.filter((each) => each.message === line.message).length >= failures,
      );
      expect(await commonName(server, kept)).toBe("live");
    };
    writeFileSync(live.certificate, "half a certifi");
    await failAgain();
    copyFileSync(other.certificate, live.certificate);
    await failAgain();
    original.remove();
  }, 120_000);

  test("a key of another certificate is noticed before anything starts", async () => {
    using directory = temporaryDirectory();
    const one = makeCertificate(directory.path, "one");
    const two = makeCertificate(directory.path, "two");
    const mixed = tlsArguments(`${directory.path}/data`, { ...one, key: two.key });
    const { exitCode, stderr } = await runPortolan(["serve", ...mixed]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("not the key of the certificate");
    expect(stderr).not.toContain("    at ");
  }, 120_000);
});
