/**
 * `npm run test:clients`: real servers against docker, podman, buildah, skopeo, containerd, the AWS
 * CLI, and what of crane, regctl, oras-go, helm and the OCI conformance suite is on `PATH` or in
 * `PORTOLAN_TOOLS`. What is missing is told in one line and skipped; what `PORTOLAN_REQUIRE` names
 * must be there.
 *
 *     npm run test:clients                          everything
 *     npm run test:clients -- tests/clients/docker.test.ts
 *
 * The images are made first, in a minute, and kept: tests/support/images.ts.
 */
import { haveTestImages, testImages } from "../tests/support/images.ts";
import { runTests } from "./run-tests.ts";

const given = process.argv.slice(2);
const hasPaths = given.some((argument) => !argument.startsWith("-"));
if (haveTestImages()) {
  await testImages((line) => console.log(`making images: ${line}`));
}
process.exit(await runTests({ parameters: [...(hasPaths ? [] : ["./tests/clients"]), ...given] }));
