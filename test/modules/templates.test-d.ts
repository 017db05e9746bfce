/** What the type checker says of a machine's configuration; `tsc` is the test. */
import { defineSystem } from "../../core/index.ts";
import "../../modules/index.ts";

defineSystem(() => ({ services: { nginx: { enable: true, virtualHosts: { localhost: { root: "/srv" } } } }, system: { stateVersion: "26.11" } }));
defineSystem({ config: () => ({ time: { timeZone: "UTC" } }) });
defineSystem(({ pkgs, config }) => ({ environment: { systemPackages: [pkgs.git] }, networking: { hostName: config.networking.hostName } }));

// @ts-expect-error a name that does not exist
defineSystem(() => ({ services: { ngnix: { enable: true } } }));
// @ts-expect-error in a function, too
defineSystem(() => ({ services: { nginx: { enabled: true } } }));
// @ts-expect-error inside a submodule
defineSystem(() => ({ services: { nginx: { virtualHosts: { localhost: { rot: "/srv" } } } } }));
// @ts-expect-error a keyword that sshd does not have
defineSystem(() => ({ services: { openssh: { settings: { PermitRootLogn: "no" } } } }));
// @ts-expect-error a value that the keyword does not have
defineSystem(() => ({ services: { openssh: { settings: { PermitRootLogin: "maybe" } } } }));
// @ts-expect-error a port is a number
defineSystem(() => ({ networking: { firewall: { allowedTCPPorts: ["80"] } } }));
// @ts-expect-error a package that does not exist
defineSystem(({ pkgs }) => ({ environment: { systemPackages: [pkgs.gitt] } }));
// @ts-expect-error a clause of a role
defineSystem(() => ({ services: { postgresql: { ensureUsers: [{ name: "a", ensureClauses: { superusr: true } }] } } }));
