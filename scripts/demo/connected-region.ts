/** A region as its users see it: the Amazon ECR API and the registry protocol, with a real login. */
import {
  DescribeImageReplicationStatusCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  PutReplicationConfigurationCommand,
} from "@aws-sdk/client-ecr";
import {
  type RegistryClient,
  registryClient,
} from "../../examples/registry-client/registry-client.ts";
import { account, type RegionProcess, type Regions } from "./regions.ts";

export interface ConnectedRegion {
  readonly process: RegionProcess;
  readonly name: string;
  readonly startMilliseconds: number;
  readonly ecr: ECRClient;
  readonly registry: RegistryClient;
}

/** Starts the region and logs in as docker does: with a token from GetAuthorizationToken. */
export async function connectRegion(
  region: RegionProcess,
  { credentials }: Regions,
): Promise<ConnectedRegion> {
  const startMilliseconds = await region.start();
  const ecr = new ECRClient({ region: region.region, endpoint: region.endpoint, credentials });
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken;
  if (token === undefined) throw new Error(`${region.region} gave no authorization token`);
  const [username = "", password = ""] = Buffer.from(token, "base64").toString().split(":", 2);
  return {
    process: region,
    name: region.region,
    startMilliseconds,
    ecr,
    registry: registryClient({ endpoint: region.endpoint, username, password }),
  };
}

/** One rule: repositories whose names begin with the filter go to the destinations. */
export async function putRule(
  region: ConnectedRegion,
  destinations: readonly ConnectedRegion[],
  filter: string,
): Promise<void> {
  await region.ecr.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [
          {
            destinations: destinations.map(({ name }) => ({ region: name, registryId: account })),
            repositoryFilters: [{ filter, filterType: "PREFIX_MATCH" }],
          },
        ],
      },
    }),
  );
}

export interface ExpectedReplication {
  readonly source: ConnectedRegion;
  readonly destination: ConnectedRegion;
  readonly repository: string;
  readonly tag: string;
  readonly status: "IN_PROGRESS" | "COMPLETE";
  readonly limitMilliseconds: number;
}

/** Waits until the source says this of the image at the destination. */
export async function expectReplication(expected: ExpectedReplication): Promise<void> {
  const { source, destination, repository, tag } = expected;
  const deadline = performance.now() + expected.limitMilliseconds;
  for (;;) {
    const { replicationStatuses = [] } = await source.ecr.send(
      new DescribeImageReplicationStatusCommand({
        repositoryName: repository,
        imageId: { imageTag: tag },
      }),
    );
    const found = replicationStatuses.find(({ region }) => region === destination.name);
    if (found?.status === expected.status) return;
    if (found?.status === "FAILED" || performance.now() > deadline) {
      throw new Error(
        `${source.name} says of ${tag} in ${destination.name}: ${JSON.stringify(found)}, not ${expected.status}`,
      );
    }
    await Bun.sleep(20);
  }
}

/** Bytes of blobs that one region has sent to another since it started, by its own metrics. */
export async function bytesSent(
  source: ConnectedRegion,
  destination: ConnectedRegion,
): Promise<number> {
  const answer = await fetch(`${source.registry.endpoint}/metrics`, {
    signal: AbortSignal.timeout(5000),
  });
  if (!answer.ok) throw new Error(`${source.name} answers ${answer.status} for its metrics`);
  const series = `portolan_replication_sent_bytes_total{region="${destination.name}"} `;
  const line = (await answer.text()).split("\n").find((text) => text.startsWith(series));
  // A counter that has counted nothing yet is not listed.
  return line === undefined ? 0 : Number(line.slice(series.length));
}

export async function expectGone({ name, registry }: ConnectedRegion): Promise<void> {
  const answer = await fetch(`${registry.endpoint}/healthz`, {
    signal: AbortSignal.timeout(2000),
  }).catch(() => undefined);
  if (answer !== undefined) throw new Error(`${name} still answers after SIGKILL`);
}
