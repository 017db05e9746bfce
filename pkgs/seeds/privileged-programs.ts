/** A program that Debian installs with a set-user-ID or set-group-ID bit. */
export type PrivilegedProgram = { readonly path: string; readonly owner: string; readonly group: string; readonly mode: string };

/**
 * What a store cannot hold: the bits that let these programs act for root or a group. A machine that wants
 * one of them makes a copy with these modes outside of the store when it is activated.
 */
export const privilegedPrograms: readonly PrivilegedProgram[] = [
  { path: "usr/bin/chage", owner: "root", group: "shadow", mode: "2755" },
  { path: "usr/bin/chfn", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/chsh", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/expiry", owner: "root", group: "shadow", mode: "2755" },
  { path: "usr/bin/gpasswd", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/mount", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/newgrp", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/passwd", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/ssh-agent", owner: "root", group: "_ssh", mode: "2755" },
  { path: "usr/bin/su", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/sudo", owner: "root", group: "root", mode: "4755" },
  { path: "usr/bin/umount", owner: "root", group: "root", mode: "4755" },
  { path: "usr/lib/dbus-1.0/dbus-daemon-launch-helper", owner: "root", group: "messagebus", mode: "4754" },
  { path: "usr/lib/openssh/ssh-keysign", owner: "root", group: "root", mode: "4755" },
  { path: "usr/sbin/unix_chkpwd", owner: "root", group: "shadow", mode: "2755" },
];
