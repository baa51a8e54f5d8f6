import "./verifier/jitless.ts";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Dashboard } from "./dashboard.tsx";

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <Dashboard />
  </StrictMode>,
);
