/** One image with its platforms, layers and configuration. */
import * as v from "valibot";
import { RegistryError } from "../../registry/errors.ts";
import { type InspectedConfiguration, inspectImage } from "../../registry/inspect-image.ts";
import type { ImageAnswer, ImageConfig } from "../api-types.ts";
import { defineEndpoint } from "../endpoint.ts";
import { imageSummary, shownTagsLimit } from "../image-summary.ts";
import { accountOf, imageReference, onRepository } from "../input.ts";

export const getImage = defineEndpoint({
  name: "console.get-image",
  method: "GET",
  path: "image",
  summary: "An image, by digest or tag: platforms, layers, configuration, history.",
  input: v.object(imageReference),
  // Its manifest and its configuration are shown: what a pull needs.
  permissions: (call, input) =>
    onRepository(call, input, "DescribeImages", "BatchGetImage", "GetDownloadUrlForLayer"),
  async handle(call, input): Promise<ImageAnswer> {
    call.context.log.repository = input.repository;
    const address = { account: accountOf(call, input), repository: input.repository };
    const reference = referenceOf(input);
    const image = await inspectImage(call.services.registry, address, reference);
    return {
      ...imageSummary(image, shownTagsLimit),
      manifestBytes: image.size,
      ...(image.subject !== null && { subject: image.subject }),
      annotations: image.annotations,
      platforms: image.children.map(({ contentBytes, ...child }) => ({
        ...child,
        bytes: contentBytes,
      })),
      layers: image.layers,
      ...(image.configuration && { config: configOf(image.configuration) }),
    };
  },
});

export function referenceOf(input: Pick<v.InferOutput<typeof schema>, "digest" | "tag">) {
  if (input.digest !== undefined) return { digest: input.digest };
  if (input.tag !== undefined) return { tag: input.tag };
  throw new RegistryError("parameter_invalid", {
    parameter: "digest",
    reason: "a digest or a tag is required",
  });
}
const schema = v.object(imageReference);

function configOf(configuration: InspectedConfiguration): ImageConfig {
  const { digest, created, author, architecture, os, config } = configuration;
  const texts = Object.entries({
    created,
    author,
    architecture,
    os,
    user: config?.User,
    workingDirectory: config?.WorkingDir,
  }).filter(([, value]) => value !== undefined && value !== "");
  return {
    digest,
    ...Object.fromEntries(texts),
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    environment: config?.Env ?? [],
    exposedPorts: Object.keys(config?.ExposedPorts ?? {}),
    labels: config?.Labels ?? {},
    history: (configuration.history ?? []).map((entry) => ({
      ...(entry.created !== undefined && { created: entry.created }),
      ...(entry.created_by !== undefined && { createdBy: entry.created_by }),
      ...(entry.comment !== undefined && { comment: entry.comment }),
      isEmptyLayer: entry.empty_layer === true,
    })),
  };
}
