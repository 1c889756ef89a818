/** What surrounds every page: the bar above, the navigation beside, notices, and the way to sign out. */
import Alert from "@cloudscape-design/components/alert";
import AppLayoutToolbar from "@cloudscape-design/components/app-layout-toolbar";
import Box from "@cloudscape-design/components/box";
import SideNavigation, {
  type SideNavigationProps,
} from "@cloudscape-design/components/side-navigation";
import Spinner from "@cloudscape-design/components/spinner";
import { Suspense, useState } from "react";
import { LiveProvider, useLive } from "../live/live.tsx";
import { findPage } from "../pages/pages.tsx";
import { addresses, consoleBase, RouterProvider, useLink, useRouter } from "../router.tsx";
import { useText } from "../text/text.tsx";
import { useAccount } from "./account.ts";
import { Breadcrumbs } from "./breadcrumbs.tsx";
import { NoticesProvider, ShownNotices } from "./notices.tsx";
import { useRenewal } from "./renewal.ts";
import { TopBar } from "./top-bar.tsx";

export default function Shell() {
  useRenewal();
  return (
    <RouterProvider>
      <NoticesProvider>
        <LiveOfAccount />
      </NoticesProvider>
    </RouterProvider>
  );
}

function LiveOfAccount() {
  const { account } = useAccount();
  return (
    <LiveProvider account={account}>
      <TopBar />
      <Layout />
    </LiveProvider>
  );
}

/** The navigation's entries; a new page is added here. */
function useNavigationItems(): SideNavigationProps.Item[] {
  const text = useText();
  const link = useLink();
  const entry = (name: string, address: string): SideNavigationProps.Link => ({
    type: "link",
    text: name,
    href: link(address).href,
  });
  return [
    entry(text.shell.pages.chart, addresses.chart()),
    {
      type: "section",
      text: text.shell.registry,
      items: [entry(text.shell.pages.repositories, addresses.repositories())],
    },
  ];
}

function Layout() {
  const text = useText();
  const { path, navigate } = useRouter();
  const link = useLink();
  const items = useNavigationItems();
  const narrow = () => window.matchMedia("(max-width: 688px)").matches;
  const [navigationOpen, setNavigationOpen] = useState(() => !narrow());
  const found = findPage(path);
  const { connected } = useLive();
  const section = path.startsWith("/repositories") ? addresses.repositories() : path;
  return (
    <AppLayoutToolbar
      headerSelector="#shell-header"
      toolsHide
      navigationOpen={navigationOpen}
      onNavigationChange={({ detail }) => setNavigationOpen(detail.open)}
      navigation={
        <SideNavigation
          activeHref={link(section).href}
          items={items}
          onFollow={(event) => {
            if (event.detail.external) return;
            event.preventDefault();
            navigate(new URL(event.detail.href, location.href).pathname.slice(consoleBase.length));
            if (narrow()) setNavigationOpen(false);
          }}
        />
      }
      breadcrumbs={<Breadcrumbs />}
      notifications={<ShownNotices />}
      content={
        <>
          {!connected && (
            <Box margin={{ bottom: "m" }}>
              <Alert type="warning">{text.shell.disconnected}</Alert>
            </Box>
          )}
          <Suspense fallback={<Spinner size="large" />}>
            {found === undefined ? (
              <Box variant="h1">{text.shell.notFound}</Box>
            ) : (
              <found.page parameters={found.parameters} />
            )}
          </Suspense>
        </>
      }
    />
  );
}
