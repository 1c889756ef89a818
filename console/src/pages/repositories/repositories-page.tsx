/** Repositories: found, sorted and paged by the server; created and deleted here. */
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useEffect, useState } from "react";
import type { RepositoriesAnswer, RepositorySummary } from "../../../../src/console/api-types.ts";
import { api, ecr } from "../../api.ts";
import { useChanges } from "../../live/live.tsx";
import { useCursorPages } from "../../parts/cursor-pages.ts";
import { useDelayed } from "../../parts/delayed.ts";
import { useFormat } from "../../parts/format.ts";
import { Problem } from "../../parts/problem.tsx";
import { Time } from "../../parts/time.tsx";
import { useTitle } from "../../parts/title.ts";
import { TypedConfirmation } from "../../parts/typed-confirmation.tsx";
import { addresses, useLink } from "../../router.tsx";
import { useAccount } from "../../shell/account.ts";
import { useNotices } from "../../shell/notices.tsx";
import { useText } from "../../text/text.tsx";
import { useQuery } from "../../use-query.ts";
import { CreateRepositoryDialog } from "./create-repository-dialog.tsx";

const pageSize = 25;

export default function RepositoriesPage() {
  const text = useText();
  const format = useFormat();
  const link = useLink();
  const { account } = useAccount();
  const { add } = useNotices();
  useTitle(text.repositories.title);

  const [typed, setTyped] = useState("");
  const search = useDelayed(typed.trim());
  const [sort, setSort] = useState<"name" | "created">("name");
  const [descending, setDescending] = useState(false);
  const [selected, setSelected] = useState<RepositorySummary>();
  const [dialog, setDialog] = useState<"create" | "delete">();

  const list = JSON.stringify([account, search, sort, descending]);
  const [next, setNext] = useState<string>();
  const pages = useCursorPages(list, next);
  const query = useQuery(`${list} ${pages.after}`, (signal) =>
    api.get<RepositoriesAnswer>(
      "repositories",
      {
        account,
        search,
        sort,
        direction: descending ? "descending" : "ascending",
        after: pages.after,
        limit: pageSize,
      },
      signal,
    ),
  );
  useEffect(() => setNext(query.data?.next), [query.data]);
  useChanges(undefined, query.reload);
  const items = query.data?.repositories ?? [];

  async function deleteSelected() {
    if (selected === undefined) return;
    const repositoryName = selected.name;
    await ecr("DeleteRepository", { registryId: account, repositoryName, force: true });
    setDialog(undefined);
    setSelected(undefined);
    add("success", text.repositories.deletedOne(repositoryName));
    query.reload();
  }

  return (
    <SpaceBetween size="m">
      {query.error && <Problem error={query.error} onRetry={query.reload} />}
      <Table
        variant="full-page"
        stickyHeader
        items={[...items]}
        trackBy="name"
        loading={query.loading && query.data === undefined}
        loadingText={text.loading}
        selectionType="single"
        selectedItems={selected === undefined ? [] : [selected]}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems[0])}
        ariaLabels={{
          selectionGroupLabel: text.repositories.selection,
          itemSelectionLabel: (_, { name }) => text.repositories.selectOne(name),
          tableLabel: text.repositories.title,
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={query.data && `(${format.count(query.data.count)})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  iconName="refresh"
                  ariaLabel={text.refresh}
                  loading={query.loading}
                  onClick={query.reload}
                />
                <Button disabled={selected === undefined} onClick={() => setDialog("delete")}>
                  {text.delete}
                </Button>
                <Button variant="primary" onClick={() => setDialog("create")}>
                  {text.repositories.create}
                </Button>
              </SpaceBetween>
            }
          >
            {text.repositories.title}
          </Header>
        }
        filter={
          <TextFilter
            filteringText={typed}
            filteringPlaceholder={text.repositories.find}
            filteringAriaLabel={text.repositories.find}
            onChange={({ detail }) => setTyped(detail.filteringText)}
          />
        }
        pagination={
          <Pagination
            {...pages.pagination}
            onChange={({ detail }) => pages.show(detail.currentPageIndex, next)}
          />
        }
        sortingColumn={{ sortingField: sort }}
        sortingDescending={descending}
        onSortingChange={({ detail }) => {
          setSort(detail.sortingColumn.sortingField === "created" ? "created" : "name");
          setDescending(detail.isDescending === true);
        }}
        columnDefinitions={[
          {
            id: "name",
            header: text.repositories.name,
            sortingField: "name",
            isRowHeader: true,
            cell: ({ name }) => <Link {...link(addresses.repository(name))}>{name}</Link>,
          },
          {
            id: "images",
            header: text.repositories.images,
            cell: ({ images }) => format.count(images),
          },
          {
            id: "pushed",
            header: text.repositories.pushed,
            cell: ({ pushedAt }) => <Time at={pushedAt} />,
          },
          {
            id: "mutability",
            header: text.repositories.mutability,
            cell: ({ tagMutability }) =>
              text.repositories.mutabilities[tagMutability] ?? tagMutability,
          },
          {
            id: "created",
            header: text.repositories.created,
            sortingField: "created",
            cell: ({ createdAt }) => <Time at={createdAt} />,
          },
        ]}
        empty={
          query.error ? undefined : search === "" ? (
            <Box textAlign="center">
              <SpaceBetween size="s">
                <b>{text.repositories.empty}</b>
                <span>{text.repositories.emptyHint}</span>
                <Button onClick={() => setDialog("create")}>{text.repositories.create}</Button>
              </SpaceBetween>
            </Box>
          ) : (
            <Box textAlign="center">
              <SpaceBetween size="s">
                <b>{text.repositories.noMatch}</b>
                <Button onClick={() => setTyped("")}>{text.repositories.clear}</Button>
              </SpaceBetween>
            </Box>
          )
        }
      />
      {dialog === "create" && (
        <CreateRepositoryDialog
          account={account}
          onDismiss={() => setDialog(undefined)}
          onCreated={(name) => {
            setDialog(undefined);
            add("success", text.repositories.createdOne(name));
            query.reload();
          }}
        />
      )}
      {dialog === "delete" && selected !== undefined && (
        <TypedConfirmation
          header={text.repositories.deleteTitle}
          word={selected.name}
          onConfirm={deleteSelected}
          onDismiss={() => setDialog(undefined)}
        >
          {text.repositories.deleteWarning(selected.name, format.count(selected.images))}
        </TypedConfirmation>
      )}
    </SpaceBetween>
  );
}
