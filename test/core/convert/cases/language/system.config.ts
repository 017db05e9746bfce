// One machine, with most of what the language has.
import { dedent, defineInputs, defineNixosSystem, github, type NixosModule, type NixValue } from "tsos";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ config, pkgs, lib }) => {
  // who may log in
  const hostName: NixValue = "web";
  const ports = [80, 443];
  const double = (n: NixValue) => n * 2;
  const join = (a: NixValue, b: NixValue) => `${a}-${b}`;
  const joined = (rest: NixValue) => join(hostName, rest); // waits for one more
  const site = (() => {
    const domain = "example.org";
    const url = `https://${domain}`;
    return { domain, url };
  })();
  const defaults: NixValue = { user: "www", group: "www" };
  return {
    networking: { hostName: `${hostName}-1` },
    services: { web: { enable: lib.mkForce(true) } },

    environment: {
      text: [
        // the first
        joined("a"),
        `${lib.toString(double(4))}`, // eight
        site.url,
        defaults.user ?? "nobody",
        config.services.web.enable ? "on" : "off",
        "shell" in defaults ? defaults.shell : "none",
        ...ports.map((port: NixValue) => `port ${String(port)}`),
        ...(hostName === "web" ? ["web"] : []),
        site.domain,
        dedent`
          a block
            with \${escapes}, \`ticks\` and $PATH
          of ${hostName}
        `,
        /* and a path */
        `${pkgs.hello}/bin/hello`,
      ],
    },
  };
};

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
