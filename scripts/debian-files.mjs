// The texts inside the .deb: control, maintainer scripts, the command. scripts/package-deb.mjs puts them together.
//
//   install  user, folders, rules ─▶ service enabled and started      remove  stopped; data and settings stay
//   upgrade  files replaced ─▶ service started again                  purge   settings go; the data only after a yes
//
// The scripts work below $DPKG_ROOT when it is set, and speak to systemd only where one runs.

/** Debian's names for what Node calls its architectures. */
export const DEB_ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

const DEPENDS = [
  "libc6 (>= 2.28)",
  "libstdc++6 (>= 8)",
  "systemd | systemd-standalone-sysusers",
  "systemd | systemd-standalone-tmpfiles",
  "debconf (>= 0.5) | debconf-2.0",
];

/** @param {{ version: string, architecture: string, installedKiB: number }} facts */
export const control = ({ version, architecture, installedKiB }) => `Package: tidegate
Version: ${version}
Architecture: ${architecture}
Maintainer: The Tidegate authors <maintainers@tidegate.invalid>
Installed-Size: ${installedKiB}
Depends: ${DEPENDS.join(", ")}
Recommends: avahi-daemon
Suggests: mosquitto
Section: net
Priority: optional
Homepage: https://tidegate.invalid/
Description: IoT device gateway that keeps its word
 Microcontrollers and Raspberry Pis connect over TLS WebSocket or a serial
 line. Their telemetry is on the disk before it is acknowledged, is kept
 through outages, forwarded to MQTT and shown on a dashboard; commands come
 down with a deadline and a result.
 .
 The package brings the Node.js it was built and tested with.
`;

export const CONFFILES = ["/etc/tidegate/tidegate.yaml", "/etc/avahi/services/tidegate.service"];

export const TEMPLATES = `Template: tidegate/purge-data
Type: boolean
Default: false
Description: Delete the data of the gateway, too?
 /var/lib/tidegate holds what devices have sent and no sink has taken yet, their
 credentials, and the site's keys. Devices have pinned those keys: they cannot be
 made again, and without them every device needs a new credential.
 .
 Say no to keep the folder.
`;

const HEAD = `#!/bin/sh
set -e
root="\${DPKG_ROOT:-}"
has_systemd() { [ -z "$root" ] && [ -d /run/systemd/system ]; }
`;

export const POSTINST = `${HEAD}
case "$1" in
  configure)
    systemd-sysusers --root="\${root:-/}" tidegate.conf
    systemd-tmpfiles --root="\${root:-/}" --create tidegate.conf
    if [ -z "$root" ] && command -v udevadm >/dev/null && [ -S /run/udev/control ]; then
      udevadm control --reload || true
      udevadm trigger --subsystem-match=tty || true
    fi
    if has_systemd; then
      systemctl daemon-reload || true
      if [ -z "$2" ]; then
        systemctl enable tidegate.service || true
      fi
      # A gateway that does not start must not leave the package half installed: its log says why.
      systemctl restart tidegate.service || echo "tidegate did not start: journalctl -u tidegate" >&2
    fi
    ;;
esac
`;

export const PRERM = `${HEAD}
case "$1" in
  remove)
    if has_systemd; then
      systemctl stop tidegate.service || true
      systemctl disable tidegate.service || true
    fi
    ;;
esac
`;

export const POSTRM = `${HEAD}
case "$1" in
  remove)
    if has_systemd; then
      systemctl daemon-reload || true
    fi
    ;;
  purge)
    answer=false
    if [ -z "$root" ] && [ -e /usr/share/debconf/confmodule ]; then
      . /usr/share/debconf/confmodule
      db_input high tidegate/purge-data || true
      db_go || true
      db_get tidegate/purge-data || true
      answer="$RET"
      db_purge || true
    fi
    if [ "$answer" = true ]; then
      rm -rf "$root/var/lib/tidegate"
    elif [ -d "$root/var/lib/tidegate" ]; then
      echo "tidegate: the data stays in $root/var/lib/tidegate" >&2
    fi
    rmdir "$root/etc/tidegate" 2>/dev/null || true
    ;;
esac
`;

/** `/usr/bin/tidegate`: the command, with the Node of the package. */
export const COMMAND = `#!/bin/sh
exec /opt/tidegate/bin/node --disallow-code-generation-from-strings /opt/tidegate/gateway/bin/tidegate.js "$@"
`;

/** @param {string} nodeLicense the text that came with the Node that is inside */
export const copyright = (nodeLicense) => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Tidegate

Files: *
Copyright: The Tidegate authors
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.

Files: opt/tidegate/node_modules/*
Copyright: the authors named in each package
License: various
 Each package brings its own, beside its package.json.

Files: opt/tidegate/bin/node
Copyright: Node.js contributors and others
License: Node.js
${nodeLicense
  .trimEnd()
  .split("\n")
  .map((line) => (line.trim() === "" ? " ." : ` ${line}`))
  .join("\n")}
`;

/** What lintian finds and we mean. */
export const OVERRIDES = `# A program with a Node and packages of its own, as the FHS has /opt for.
tidegate: dir-or-file-in-opt
# Built with Node, whose binary comes as its makers ship it.
tidegate: embedded-library
tidegate: unstripped-binary-or-object
tidegate: hardening-no-pie
# The question is asked when the package is purged; there is nothing to ask before.
tidegate: no-debconf-config
# The license of Node holds those of its parts, word by word.
tidegate: copyright-file-contains-full-apache-2-license
`;
