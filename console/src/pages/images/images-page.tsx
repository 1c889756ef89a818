/** The images of a repository, newest first: found by tag, deleted, and the commands to push. */
import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Pagination from "@cloudscape-design/components/pagination";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useEffect, useState } from "react";
import type { ImageSummary, ImagesAnswer } from "../../../../src/console/api-types.ts";
import { api, ecr } from "../../api.ts";
import { useChanges } from "../../live/live.tsx";
import { useCursorPages } from "../../parts/cursor-pages.ts";
import { useDelayed } from "../../parts/delayed.ts";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { useTitle } from "../../parts/title.ts";
import { TypedConfirmation } from "../../parts/typed-confirmation.tsx";
import { addresses, useLink, useRouter } from "../../router.tsx";
import { useAccount } from "../../shell/account.ts";
import { useNotices } from "../../shell/notices.tsx";
import { useText } from "../../text/text.tsx";
import { useQuery } from "../../use-query.ts";
import type { PageProps } from "../pages.tsx";
import { imageKind, shortDigest } from "./image-names.ts";
import { PushCommands } from "./push-commands.tsx";

const pageSize = 25;
type TagStatus = "ANY" | "TAGGED" | "UNTAGGED";
const statuses: readonly TagStatus[] = ["ANY", "TAGGED", "UNTAGGED"];

interface BatchDeleteAnswer {
  readonly failures?: readonly { readonly failureReason?: string }[];
}

export default function ImagesPage({ parameters }: PageProps) {
  const repository = parameters.repository ?? "";
  const text = useText();
  const format = useFormat();
  const link = useLink();
  const { navigate } = useRouter();
  const { account } = useAccount();
  const { add } = useNotices();
  useTitle(repository);

  const [typed, setTyped] = useState("");
  const search = useDelayed(typed.trim());
  const [tagStatus, setTagStatus] = useState<TagStatus>("ANY");
  const [ascending, setAscending] = useState(false);
  const [selected, setSelected] = useState<readonly ImageSummary[]>([]);
  const [dialog, setDialog] = useState<"images" | "repository">();

  const list = JSON.stringify([account, repository, search, tagStatus, ascending]);
  const [next, setNext] = useState<string>();
  const pages = useCursorPages(list, next);
  const query = useQuery(`${list} ${pages.after}`, (signal) =>
    api.get<ImagesAnswer>(
      "images",
      {
        account,
        repository,
        search,
        tagStatus,
        direction: ascending ? "ascending" : "descending",
        after: pages.after,
        limit: pageSize,
      },
      signal,
    ),
  );
  useEffect(() => setNext(query.data?.next), [query.data]);
  useChanges(repository, query.reload);
  const items = query.data?.images ?? [];
  const count = query.data?.count;

  async function deleteImages() {
    const { failures = [] } = await ecr<BatchDeleteAnswer>("BatchDeleteImage", {
      registryId: account,
      repositoryName: repository,
      imageIds: selected.map(({ digest }) => ({ imageDigest: digest })),
    });
    setDialog(undefined);
    setSelected([]);
    const deleted = selected.length - failures.length;
    if (deleted > 0) add("success", text.images.deleted(format.count(deleted)));
    if (failures.length > 0) {
      const reasons = [...new Set(failures.map(({ failureReason }) => failureReason))];
      const total = format.count(failures.length);
      add("error", `${text.images.notDeleted(total)}: ${reasons.join("; ")}`);
    }
    query.reload();
  }
  async function deleteRepository() {
    await ecr("DeleteRepository", {
      registryId: account,
      repositoryName: repository,
      force: true,
    });
    add("success", text.repositories.deletedOne(repository));
    navigate(addresses.repositories());
  }

  const commands = <PushCommands account={account} repository={repository} />;
  const isFiltered = search !== "" || tagStatus !== "ANY";
  return (
    <SpaceBetween size="m">
      {query.error && <Problem error={query.error} onRetry={query.reload} />}
      <Table
        variant="full-page"
        stickyHeader
        items={[...items]}
        trackBy="digest"
        loading={query.loading && query.data === undefined}
        loadingText={text.loading}
        selectionType="multi"
        selectedItems={[...selected]}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        ariaLabels={{
          selectionGroupLabel: text.images.selection,
          allItemsSelectionLabel: () => text.images.selection,
          itemSelectionLabel: (_, image) => text.images.selectOne(shortDigest(image.digest)),
          tableLabel: text.images.title,
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={count === undefined ? "" : `(${format.count(count)})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  iconName="refresh"
                  ariaLabel={text.refresh}
                  loading={query.loading}
                  onClick={query.reload}
                />
                <Button disabled={selected.length === 0} onClick={() => setDialog("images")}>
                  {text.delete}
                </Button>
                <Button onClick={() => setDialog("repository")}>
                  {text.images.deleteRepository}
                </Button>
              </SpaceBetween>
            }
          >
            {repository}
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <TextFilter
              filteringText={typed}
              filteringPlaceholder={text.images.find}
              filteringAriaLabel={text.images.find}
              onChange={({ detail }) => setTyped(detail.filteringText)}
            />
            <Select
              ariaLabel={text.images.status}
              selectedOption={{ value: tagStatus, label: text.images.statuses[tagStatus] }}
              options={statuses.map((value) => ({ value, label: text.images.statuses[value] }))}
              onChange={({ detail }) => {
                const chosen = statuses.find((each) => each === detail.selectedOption.value);
                if (chosen !== undefined) setTagStatus(chosen);
              }}
            />
          </SpaceBetween>
        }
        pagination={
          <Pagination
            {...pages.pagination}
            onChange={({ detail }) => pages.show(detail.currentPageIndex, next)}
          />
        }
        sortingColumn={{ sortingField: "pushed" }}
        sortingDescending={!ascending}
        onSortingChange={({ detail }) => setAscending(detail.isDescending !== true)}
        columnDefinitions={[
          {
            id: "tags",
            header: text.images.tags,
            isRowHeader: true,
            cell: (image) => (
              <Link {...link(addresses.image(repository, image.digest))}>
                {image.tags.length === 0 ? text.images.untagged : image.tags.join(", ")}
                {image.tagCount > image.tags.length &&
                  ` ${text.images.moreTags(format.count(image.tagCount - image.tags.length))}`}
              </Link>
            ),
          },
          {
            id: "digest",
            header: text.images.digest,
            cell: ({ digest }) => (
              <span className="code" title={digest}>
                {shortDigest(digest)}
              </span>
            ),
          },
          {
            id: "type",
            header: text.images.type,
            cell: (image) => (
              <SpaceBetween direction="horizontal" size="xxs">
                <span>{text.images.kinds[imageKind(image)]}</span>
                {image.archived && <Badge>{text.images.archived}</Badge>}
              </SpaceBetween>
            ),
          },
          {
            id: "size",
            header: text.images.size,
            cell: ({ contentBytes }) => format.bytes(contentBytes),
          },
          {
            id: "pushed",
            header: text.images.pushed,
            sortingField: "pushed",
            cell: ({ pushedAt }) => <Time at={pushedAt} />,
          },
          {
            id: "pulled",
            header: text.images.pulled,
            cell: ({ pulledAt }) => <Time at={pulledAt} />,
          },
        ]}
        empty={
          query.error ? undefined : isFiltered ? (
            <Box textAlign="center">
              <b>{text.images.noMatch}</b>
            </Box>
          ) : (
            <SpaceBetween size="s">
              <b>{text.images.empty}</b>
              <span>{text.images.emptyHint}</span>
              <Box textAlign="left">{commands}</Box>
            </SpaceBetween>
          )
        }
      />
      {items.length > 0 && (
        <ExpandableSection variant="container" headerText={text.images.pushCommands}>
          {commands}
        </ExpandableSection>
      )}
      {dialog === "images" && (
        <TypedConfirmation
          header={text.images.deleteTitle}
          word={text.delete.toLowerCase()}
          onConfirm={deleteImages}
          onDismiss={() => setDialog(undefined)}
        >
          {text.images.deleteWarning(format.count(selected.length))}
        </TypedConfirmation>
      )}
      {dialog === "repository" && (
        <TypedConfirmation
          header={text.repositories.deleteTitle}
          word={repository}
          onConfirm={deleteRepository}
          onDismiss={() => setDialog(undefined)}
        >
          {text.repositories.deleteWarning(repository, format.count(count ?? 0))}
        </TypedConfirmation>
      )}
    </SpaceBetween>
  );
}
