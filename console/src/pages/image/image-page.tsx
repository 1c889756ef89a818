/** One image: what it is made of, how to pull it, what refers to it, and where it is. */
import Badge from "@cloudscape-design/components/badge";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import type { ImageAnswer } from "../../../../src/console/api-types.ts";
import { api } from "../../api.ts";
import { useChanges } from "../../live/live.tsx";
import { Command } from "../../parts/command.tsx";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { registryHost } from "../../parts/registry-host.ts";
import { Time } from "../../parts/time.tsx";
import { useTitle } from "../../parts/title.ts";
import { addresses, useLink } from "../../router.tsx";
import { useAccount } from "../../shell/account.ts";
import { useText } from "../../text/text.tsx";
import { useQuery } from "../../use-query.ts";
import { shortDigest } from "../images/image-names.ts";
import type { PageProps } from "../pages.tsx";
import { Annotations, Configuration, History } from "./configuration.tsx";
import { Layers, Platforms } from "./contents.tsx";
import { Places } from "./places.tsx";
import { Referrers } from "./referrers.tsx";

export default function ImagePage({ parameters }: PageProps) {
  const { repository = "", digest = "" } = parameters;
  const text = useText();
  const { account } = useAccount();
  useTitle(`${repository} ${shortDigest(digest)}`);
  const query = useQuery(`${account} ${repository} ${digest}`, (signal) =>
    api.get<ImageAnswer>("image", { account, repository, digest }, signal),
  );
  useChanges(repository, query.reload);
  const image = query.data;

  return (
    <SpaceBetween size="l">
      <Header variant="h1">{image?.tags[0] ?? shortDigest(digest)}</Header>
      {query.error && <Problem error={query.error} onRetry={query.reload} />}
      {image === undefined && query.loading && (
        <span role="status">
          <Spinner /> {text.loading}
        </span>
      )}
      {image !== undefined && (
        <SpaceBetween size="l">
          <Overview account={account} repository={repository} image={image} />
          <Places account={account} repository={repository} digest={digest} />
          <Tabs
            tabs={[
              {
                id: "contents",
                label: image.platforms.length > 0 ? text.image.platforms : text.image.layers,
                content:
                  image.platforms.length > 0 ? (
                    <Platforms repository={repository} platforms={image.platforms} />
                  ) : (
                    <Layers layers={image.layers} />
                  ),
              },
              {
                id: "configuration",
                label: text.image.configuration,
                content: <Configuration config={image.config} />,
              },
              {
                id: "history",
                label: text.image.history,
                content: <History config={image.config} />,
              },
              {
                id: "annotations",
                label: text.image.annotations,
                content: <Annotations values={image.annotations} />,
              },
              {
                id: "referrers",
                label: text.image.referrers,
                content: <Referrers account={account} repository={repository} subject={digest} />,
              },
            ]}
          />
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}

function Overview(props: { account: string; repository: string; image: ImageAnswer }) {
  const { account, repository, image } = props;
  const text = useText();
  const format = useFormat();
  const link = useLink();
  const name = `${registryHost(account)}/${repository}`;
  const [firstTag] = image.tags;
  const hidden = image.tagCount - image.tags.length;
  return (
    <Container header={<Header variant="h2">{text.image.overview}</Header>}>
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={4}
          items={[
            { label: text.image.size, value: format.bytes(image.contentBytes) },
            { label: text.image.pushed, value: <Time at={image.pushedAt} /> },
            { label: text.image.pulled, value: <Time at={image.pulledAt} /> },
            { label: text.image.manifestSize, value: format.bytes(image.manifestBytes) },
            {
              label: text.image.mediaType,
              value: <span className="code">{image.mediaType}</span>,
            },
            ...(image.artifactType === undefined
              ? []
              : [
                  {
                    label: text.image.artifactType,
                    value: <span className="code">{image.artifactType}</span>,
                  },
                ]),
            ...(image.subject === undefined
              ? []
              : [
                  {
                    label: text.image.subject,
                    value: (
                      <Link {...link(addresses.image(repository, image.subject))}>
                        {shortDigest(image.subject)}
                      </Link>
                    ),
                  },
                ]),
            {
              label: text.image.tags,
              value:
                image.tags.length === 0 ? (
                  text.images.untagged
                ) : (
                  <SpaceBetween direction="horizontal" size="xxs">
                    {image.tags.map((tag) => (
                      <Badge key={tag}>{tag}</Badge>
                    ))}
                    {hidden > 0 && <span>{text.images.moreTags(format.count(hidden))}</span>}
                  </SpaceBetween>
                ),
            },
          ]}
        />
        <FormField label={text.image.digest} stretch>
          <Command label={text.image.digest} command={image.digest} />
        </FormField>
        {firstTag !== undefined && (
          <FormField label={text.image.pull} stretch>
            <Command label={text.image.pull} command={`docker pull ${name}:${firstTag}`} />
          </FormField>
        )}
        <FormField label={text.image.pullByDigest} stretch>
          <Command
            label={text.image.pullByDigest}
            command={`docker pull ${name}@${image.digest}`}
          />
        </FormField>
      </SpaceBetween>
    </Container>
  );
}
