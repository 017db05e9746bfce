/** The modules of every machine, in the order in which their definitions of lists are joined. */
import etc from "./config/etc.ts";
import locale from "./config/locale.ts";
import networking from "./config/networking.ts";
import sysctl from "./config/sysctl.ts";
import systemPath from "./config/system-path.ts";
import usersGroups from "./config/users-groups.ts";
import pam from "./security/pam.ts";
import sudo from "./security/sudo.ts";
import wrappers from "./security/wrappers.ts";
import postgresql from "./services/databases/postgresql.ts";
import firewall from "./services/networking/firewall.ts";
import openssh from "./services/networking/openssh.ts";
import nginx from "./services/web-servers/nginx.ts";
import fileSystems from "./system/file-systems.ts";
import osRoot from "./system/os-root.ts";
import specialisation from "./system/specialisation.ts";
import systemd from "./system/systemd/systemd.ts";
import tmpfiles from "./system/systemd/tmpfiles.ts";
import toplevel from "./system/toplevel.ts";
import vmVariant from "./virtualisation/vm-variant.ts";

export const systemModules = [
  etc, locale, networking, sysctl, systemPath, usersGroups,
  pam, sudo, wrappers,
  postgresql, firewall, openssh, nginx,
  fileSystems, osRoot, specialisation, systemd, tmpfiles, toplevel, vmVariant,
] as const;
