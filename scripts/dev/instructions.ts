/** What a developer can do with the regions that `npm run dev` started, as lines to copy. */
import { relative } from "node:path";
import type { RootCredentials } from "../../src/runtime/secret-files.ts";
import type { Region } from "../../src/start-region.ts";
import { version } from "../../src/version.ts";

export interface InstructionsInput {
  readonly regions: readonly Pick<Region, "name" | "endpoint">[];
  readonly credentials: RootCredentials;
  /** Absolute paths. */
  readonly credentialsFile: string;
  readonly directory: string;
}

export function instructions({
  regions,
  credentials,
  credentialsFile,
  directory,
}: InstructionsInput): string {
  const [first, second] = regions;
  if (first === undefined || second === undefined) throw new Error("two regions are needed");
  const host = (endpoint: string) => new URL(endpoint).host;
  const here = host(first.endpoint);
  const there = host(second.endpoint);
  const logins = regions.map(
    ({ endpoint }) =>
      `  echo ${credentials.secretAccessKey} | docker login -u ${credentials.accessKeyId} --password-stdin ${host(endpoint)}`,
  );
  const api = `--region ${first.name} --endpoint-url ${first.endpoint}`;
  return `
Portolan ${version}: three regions; what is pushed to one arrives in the others.

${regions.map(({ name, endpoint }) => `  ${name.padEnd(12)} ${endpoint}`).join("\n")}

  access key id      ${credentials.accessKeyId}
  secret access key  ${credentials.secretAccessKey}
  data and logs      ${relative(process.cwd(), directory) || "."}   (remove it to begin anew)

Look at it in a browser, and sign in with the key above:
  ${first.endpoint}/console/

Push to one region, pull from another a moment later:
${logins.join("\n")}
  docker tag IMAGE ${here}/team/app:1.0 && docker push ${here}/team/app:1.0
  docker pull ${there}/team/app:1.0

Ask with the AWS CLI:
  export AWS_SHARED_CREDENTIALS_FILE=${credentialsFile}
  aws ecr get-login-password ${api} | docker login -u AWS --password-stdin ${here}
  aws ecr describe-registry ${api}
  aws ecr describe-image-replication-status --repository-name team/app --image-id imageTag=1.0 ${api}

Ctrl-C stops. Requests:
`;
}
