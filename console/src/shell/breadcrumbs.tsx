/** Where the page is, and the way back. */
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import { shortDigest } from "../pages/images/image-names.ts";
import { findPage } from "../pages/pages.tsx";
import { addresses, consoleBase, useLink, useRouter } from "../router.tsx";
import { useSession } from "../session.ts";
import { useText } from "../text/text.tsx";

export function Breadcrumbs() {
  const text = useText();
  const link = useLink();
  const { path, navigate } = useRouter();
  const { region } = useSession().session;
  const { repository, digest } = findPage(path)?.parameters ?? {};
  const items = [{ text: region, href: link(addresses.chart()).href }];
  const add = (name: string, address: string) =>
    items.push({ text: name, href: link(address).href });
  if (path.startsWith(addresses.repositories())) {
    add(text.shell.pages.repositories, addresses.repositories());
  }
  if (repository !== undefined) add(repository, addresses.repository(repository));
  if (repository !== undefined && digest !== undefined) {
    add(shortDigest(digest), addresses.image(repository, digest));
  }
  return (
    <BreadcrumbGroup
      ariaLabel={text.shell.breadcrumbs}
      items={items}
      onFollow={(event) => {
        if (event.detail.external) return;
        event.preventDefault();
        navigate(new URL(event.detail.href, location.href).pathname.slice(consoleBase.length));
      }}
    />
  );
}
