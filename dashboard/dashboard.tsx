/** The frame of every page. */
import { useEffect } from "react";
import type { ReactNode } from "react";
import { Overview } from "./pages/overview.tsx";
import { RoundPage } from "./pages/round.tsx";
import { TaskPage } from "./pages/task.tsx";
import { VerifyPage } from "./pages/verify.tsx";
import { Notice } from "./parts/notice.tsx";
import { follow, useRoute } from "./route.ts";
import type { Route } from "./route.ts";

export function Dashboard(): ReactNode {
  const route = useRoute();
  const place = JSON.stringify(route);
  const contract = "task" in route ? route.task.split("-")[1] : undefined;
  useEffect(() => {
    // A screen reader begins where the new page does.
    document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }, [place]);
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <a className="mark" href="/" onClick={follow}>
          Verisum
        </a>
        <nav aria-label="Pages">
          <a href="/" onClick={follow} aria-current={route.page === "overview" ? "page" : undefined}>
            Tasks
          </a>
          <a href="/api/openapi.json">API</a>
        </nav>
      </header>
      <main id="content" tabIndex={-1}>
        {pageOf(route)}
      </main>
      <footer className="bottom">
        <p>
          {isAggregators()
            ? "This page comes from the task’s aggregator, and its verdict is only as honest as that server."
            : "This page shows what its server read from the chain and from IPFS; it is as honest as that server."}{" "}
          To trust nobody, run{" "}
          {contract === undefined ? (
            <code>fl dashboard</code>
          ) : (
            <code>npm run fl -- dashboard --contract {contract} --rpc &lt;your endpoint&gt;</code>
          )}{" "}
          on a machine of your own.
        </p>
      </footer>
    </>
  );
}

/** As its server wrote into the page. */
function isAggregators(): boolean {
  return document.documentElement.dataset["servedBy"] === "aggregator";
}

function pageOf(route: Route): ReactNode {
  switch (route.page) {
    case "overview":
      return <Overview />;
    case "task":
      return <TaskPage key={route.task} task={route.task} />;
    case "round":
      return <RoundPage key={`${route.task} ${route.round}`} task={route.task} round={route.round} />;
    case "verify":
      return <VerifyPage key={route.task} task={route.task} />;
    case "nowhere":
      return (
        <Notice kind="empty" title="There is no such page">
          The address names none of this dashboard’s pages. <a href="/">All tasks</a>
        </Notice>
      );
  }
}
