// Writes down the types of tsos's own options and API, for editors and for `tsos check`.
import { ensureDeclarations } from "../../core/config/declarations/ensure-declarations.ts";
import { findInstallation } from "../installation.ts";

ensureDeclarations(findInstallation());
