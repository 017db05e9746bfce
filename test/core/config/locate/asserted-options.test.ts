import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsInMessage, optionsOfAssertion } from "../../../../core/config/locate/asserted-options.ts";

test("finds the options that a message names, the longest first, and no files", () => {
  assert.deepEqual(optionsInMessage("Set `services.web.hosts.\"a.example\".root', or networking.hostName; see /etc/nixos/a.nix and ./x.y."), ['services.web.hosts."a.example".root', "networking.hostName"]);
  assert.deepEqual(optionsInMessage("a web server needs a name"), []);
});

const MODULE = `{ config, lib, ... }:
let
  cfg = config.services.web;
  other = config.networking.firewall ;
in {
  config.assertions = [
    { assertion = config.boot.loader.grub.enable; message = "first"; }
    {
      assertion = cfg.enable -> (cfg.root != null && other.enable);
      message = "second";
    }
    {
      message = "third";
      assertion =
        cfg.hosts.all == [ ];
    }
    { assertion = cfg.late; message = "fourth"; }
  ];
}
`;
const lineOf = (text: string): number => MODULE.split("\n").findIndex((line) => line.includes(`"${text}"`)) + 1;

test("tells what an assertion reads, then the sets of its module", () => {
  const sets = ["services.web", "networking.firewall"];
  assert.deepEqual(optionsOfAssertion(MODULE, lineOf("second")), ["services.web.enable", "services.web.root", "networking.firewall.enable", ...sets]);
  assert.deepEqual(optionsOfAssertion(MODULE, lineOf("first")), ["boot.loader.grub.enable", ...sets]);
  assert.deepEqual(optionsOfAssertion(MODULE, lineOf("third")), ["services.web.hosts.all", ...sets]);
  assert.deepEqual(optionsOfAssertion(MODULE, lineOf("fourth")), ["services.web.late", ...sets]);
});
