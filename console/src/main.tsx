import "@cloudscape-design/global-styles/index.css";
import AppLayout from "@cloudscape-design/components/app-layout";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import { I18nProvider } from "@cloudscape-design/components/i18n";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import Table from "@cloudscape-design/components/table";
import TopNavigation from "@cloudscape-design/components/top-navigation";
import { createRoot } from "react-dom/client";

createRoot(document.getElementById("root")!).render(
  <I18nProvider locale="en" messages={[]}>
    <TopNavigation identity={{ href: "/" }} />
    <AppLayout
      navigation={<SideNavigation />}
      content={
        <>
          <Table items={[]} columnDefinitions={[]} />
          <Form>
            <FormField>
              <Input value="" />
            </FormField>
          </Form>
          <Modal visible={false} />
        </>
      }
    />
  </I18nProvider>,
);
