import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ParticipatePage } from "./participate.tsx";
import { openWindow } from "./server.ts";

// Once, not by a component: the code in the address is good once.
const opened = openWindow();
createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <ParticipatePage opened={opened} />
  </StrictMode>,
);
