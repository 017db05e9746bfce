/** What `import … from "tsos"` means to the type checker: the authoring API and the types of all packages and modules. */
import "../core/shell/shell-module.ts";
import "../modules/index.ts";
import "../pkgs/index.ts";

export * from "../core/index.ts";
