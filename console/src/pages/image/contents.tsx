/** What an image is made of: the platforms of an index, the layers of an image. */
import Link from "@cloudscape-design/components/link";
import Table from "@cloudscape-design/components/table";
import type { ImageAnswer } from "../../../../src/console/api-types.ts";
import { useFormat } from "../../parts/format.ts";
import { addresses, useLink } from "../../router.tsx";
import { useText } from "../../text/text.tsx";
import { shortDigest } from "../images/image-names.ts";

export function Platforms(props: { repository: string; platforms: ImageAnswer["platforms"] }) {
  const { repository, platforms } = props;
  const text = useText();
  const format = useFormat();
  const link = useLink();
  return (
    <Table
      variant="embedded"
      items={[...platforms]}
      ariaLabels={{ tableLabel: text.image.platforms }}
      columnDefinitions={[
        {
          id: "platform",
          header: text.image.platform,
          isRowHeader: true,
          cell: ({ platform }) => (platform === "" ? text.image.unknownPlatform : platform),
        },
        {
          id: "digest",
          header: text.image.digest,
          cell: ({ digest }) => (
            <Link {...link(addresses.image(repository, digest))}>{shortDigest(digest)}</Link>
          ),
        },
        { id: "size", header: text.image.size, cell: ({ bytes }) => format.bytes(bytes) },
      ]}
    />
  );
}

export function Layers({ layers }: { layers: ImageAnswer["layers"] }) {
  const text = useText();
  const format = useFormat();
  return (
    <Table
      variant="embedded"
      items={layers.map((layer, index) => ({ ...layer, number: index + 1 }))}
      ariaLabels={{ tableLabel: text.image.layers }}
      empty={text.none}
      columnDefinitions={[
        { id: "number", header: text.image.layer, cell: ({ number }) => number },
        {
          id: "digest",
          header: text.image.digest,
          isRowHeader: true,
          cell: ({ digest }) => (
            <span className="code" title={digest}>
              {shortDigest(digest)}
            </span>
          ),
        },
        { id: "size", header: text.image.size, cell: ({ bytes }) => format.bytes(bytes) },
        {
          id: "type",
          header: text.image.mediaType,
          cell: ({ mediaType }) => <span className="code">{mediaType}</span>,
        },
      ]}
    />
  );
}
