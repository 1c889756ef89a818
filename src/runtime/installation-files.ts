/** Reads the keys and secrets that a configuration names, and says all that is wrong with them. */
import { regionsOf, registriesOf } from "./chart-values.ts";
import type { Configuration } from "./configuration-entries.ts";
import { readRegistryCredentials } from "./registry-credentials.ts";
import {
  previousRegionKeyPath,
  type RegionKey,
  type RootCredentials,
  readableByOthers,
  readInstallationKey,
  readRegionKey,
  readRootCredentials,
  SecretFileError,
} from "./secret-files.ts";
import { readTlsFiles, TlsFileError, type TlsFiles } from "./tls-files.ts";

export interface InstallationFiles {
  readonly tls: TlsFiles | undefined;
  readonly regionKey: RegionKey | undefined;
  /** 32 bytes. */
  readonly installationKey: Uint8Array | undefined;
  readonly rootCredentials: RootCredentials | undefined;
}

export class InstallationFilesError extends Error {
  override readonly name = "InstallationFilesError";
}

/** @throws {InstallationFilesError} with every problem */
export async function readInstallationFiles(
  configuration: Configuration,
): Promise<{ files: InstallationFiles; warnings: readonly string[] }> {
  const { files, problems, warnings } = await checkInstallationFiles(configuration);
  if (problems.length > 0) throw new InstallationFilesError(problems.join("\n"));
  return { files, warnings };
}

export async function checkInstallationFiles(configuration: Configuration): Promise<{
  files: InstallationFiles;
  problems: readonly string[];
  warnings: readonly string[];
}> {
  const problems: string[] = [];
  const warnings: string[] = [];

  async function read<T>(
    path: string | undefined,
    reader: (path: string) => Promise<T>,
  ): Promise<T | undefined> {
    if (path === undefined) return undefined;
    try {
      const value = await reader(path);
      // No error: mounted secrets of orchestrators often have such modes, and are private still.
      if (await readableByOthers(path))
        warnings.push(`${path}: others may read this file; chmod 600`);
      return value;
    } catch (error) {
      if (!(error instanceof SecretFileError || error instanceof TlsFileError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  }

  const { tls, root, chart, region } = configuration;
  const { certificate } = tls;
  const files: InstallationFiles = {
    tls:
      certificate === undefined
        ? undefined
        : await read(tls.key, (key) => readTlsFiles(certificate, key)),
    regionKey: await read(configuration.regionKey, readRegionKey),
    installationKey: await read(configuration.installationKey, readInstallationKey),
    rootCredentials:
      root.accessKeyId !== undefined && root.secretAccessKey !== undefined
        ? { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey }
        : await read(root.credentials, readRootCredentials),
  };
  const inChart = regionsOf(chart).find(({ name }) => name === region);
  const publicKey = files.regionKey?.publicKey;
  const isOther = inChart !== undefined && inChart.publicKey !== publicKey;
  // One that was rotated is in the chart that the database has; the start compares it with that.
  if (isOther && publicKey !== undefined && !(await wasRotated(configuration.regionKey))) {
    problems.push(
      `${configuration.regionKey}: not the key of ${region} in the chart, which has the public key ${inChart.publicKey}; this one's is ${publicKey}`,
    );
  }
  for (const { name, endpoint, credentials } of registriesOf(chart)) {
    if (credentials === undefined) continue;
    const reader = () => readRegistryCredentials(credentials, endpoint);
    try {
      if (credentials.file === undefined) await reader();
      else await read(credentials.file, reader);
    } catch (error) {
      if (!(error instanceof SecretFileError)) throw error;
      problems.push(`chart: ${name}: ${error.message}`);
    }
  }
  return { files, problems, warnings };
}

async function wasRotated(regionKey: string | undefined): Promise<boolean> {
  return regionKey !== undefined && Bun.file(previousRegionKeyPath(regionKey)).exists();
}
