// ufw keeps its own rules in lists that every `ufw allow` appends to; a rule appended after a deny
// is dead. So ours are not in its lists: they are chains of their own, at the end of before.rules
// and before6.rules, entered before anything else of ufw. ufw loads them whenever it starts; a
// change is loaded in one step without ufw, so that nothing is open or closed in between.
#include <fmt/format.h>

#include "fw/emitters.hpp"
#include "fw/iptables_rules.hpp"
#include "wgkit/version.hpp"

namespace wgkit::fw {

namespace {

/// What emitting and removing share.
constexpr std::string_view common = R"sh(
say() { echo "wgkit fw: $*" >&2; }
die() {
  say "error: $*"
  exit 1
}

[ "$(id -u)" = 0 ] || die "changing ufw needs root"
command -v ufw >/dev/null || die "there is no ufw here: install it, or write rules for another firewall"
for file in /etc/ufw/before.rules /etc/ufw/before6.rules; do
  [ -f "$file" ] || die "there is no $file: reinstall ufw"
done
begin="# wgkit fw $interface: begin"
end="# wgkit fw $interface: end"
work=$(mktemp -d /etc/ufw/.wgkit-fw.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# without FILE: its lines but for our block.
without() {
  awk -v b="$begin" -v e="$end" '
    $0 == b { inside = 1 } !inside { print } $0 == e { inside = 0 }
    END { exit inside }' "$1" || die "$1: the line '$begin' has no '$end': repair it by hand"
}

# compose NAME SUFFIX: the new before$SUFFIX.rules, made of the old one and the block in $work/NAME.
compose() {
  cp -p "/etc/ufw/before$2.rules" "$work/old$2"
  cp -p "/etc/ufw/before$2.rules" "$work/new$2"
  without "/etc/ufw/before$2.rules" >"$work/rest$2"
  if [ -n "$1" ]; then
    { cat "$work/rest$2" && echo "$begin" && cat "$work/$1" && echo "$end"; } >"$work/new$2"
  else
    cat "$work/rest$2" >"$work/new$2"
  fi
}

# Whole files by rename; none is touched that stays as it is.
install_files() {
  for suffix in "" 6; do
    cmp -s "$work/new$suffix" "/etc/ufw/before$suffix.rules" ||
      mv "$work/new$suffix" "/etc/ufw/before$suffix.rules"
  done
}

# The old files stay valid until the end: what fails puts them back.
put_back() {
  for suffix in "" 6; do
    cmp -s "$work/old$suffix" "/etc/ufw/before$suffix.rules" ||
      mv "$work/old$suffix" "/etc/ufw/before$suffix.rules"
  done
}

is_active() { ufw status | grep -q '^Status: active'; }
filters_ipv6() { grep -Eq '^IPV6="?yes"?' /etc/default/ufw; }
)sh";

constexpr std::string_view load = R"sh(
# The rules as before$SUFFIX.rules has them, with the way into our chains.
for suffix in "" 6; do
  {
    echo "*filter"
    "rules$suffix"
    for hook in input forward; do
      [ "$hook" = input ] && chain=wgkit-in-$interface || chain=wgkit-fwd-$interface
      "rules$suffix" | grep -qx ":$chain - \[0:0\]" &&
        echo "-I ufw$suffix-before-$hook 1 -j $chain"
    done
    echo "COMMIT"
  } >"$work/block$suffix"
done
)sh";

constexpr std::string_view install = R"sh(
# Checked by iptables itself before anything changes, with ufw's chains as before.rules declares them.
for suffix in "" 6; do
  sed "1a :ufw$suffix-before-input - [0:0]\n:ufw$suffix-before-forward - [0:0]" "$work/block$suffix" \
    >"$work/checked$suffix"
  "ip${suffix}tables-restore" --noflush --test "$work/checked$suffix" ||
    die "ip${suffix}tables refuses the rules; nothing was changed"
  compose "block$suffix" "$suffix"
done

# enters SUFFIX HOOK CHAIN: whether the running rules lead into our chain already.
enters() { "ip${1}tables" -C "ufw$1-before-$2" -j "$3" 2>/dev/null; }

# load SUFFIX: the block into the running rules, all of it or nothing.
load() {
  grep -v '^-I ' "$work/block$1" | grep -vx COMMIT >"$work/load$1"
  for hook in input forward; do
    [ "$hook" = input ] && chain=wgkit-in-$interface || chain=wgkit-fwd-$interface
    if grep -q "^-I ufw$1-before-$hook " "$work/block$1"; then
      enters "$1" "$hook" "$chain" || echo "-I ufw$1-before-$hook 1 -j $chain" >>"$work/load$1"
    elif enters "$1" "$hook" "$chain"; then # forwarding was filtered, now it is not
      echo "-D ufw$1-before-$hook -j $chain" >>"$work/load$1"
    fi
  done
  echo COMMIT >>"$work/load$1"
  "ip${1}tables-restore" --noflush "$work/load$1"
}

# The SSH connection in use: "client port server port", of this process or, as sudo hides it, of one
# that it came from.
ssh_connection() {
  [ -z "${SSH_CONNECTION-}" ] || {
    echo "$SSH_CONNECTION"
    return
  }
  process=$$
  while [ "${process:-0}" -gt 1 ]; do
    found=$({ tr '\0' '\n' <"/proc/$process/environ"; } 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
    [ -z "$found" ] || {
      echo "$found"
      return
    }
    process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null)
  done
}

# Whether the session stays open once ufw drops what it does not know.
stays_open() {
  connection=$(ssh_connection)
  [ -n "$connection" ] || return 0
  # shellcheck disable=SC2086 # four words
  set -- $connection
  client=$1 port=$4
  device=$(ip -o route get "$client" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  if [ "$device" = "$interface" ] || [ "$device" = "$interface-2" ]; then
    tunnel_allows "$port" && return 0
    say "error: ufw stays off: the SSH session from $client comes through $interface, whose rules do not allow $port/tcp"
    say "allow that port, then run this again"
    return 1
  fi
  grep -Eq '^DEFAULT_INPUT_POLICY="?ACCEPT"?' /etc/default/ufw && return 0
  names=$port
  [ "$port" != 22 ] || names="22|ssh|OpenSSH"
  address=$(printf %s "$client" | sed 's/\./\\./g')
  if ufw show added | grep -Eq "^ufw (allow|limit) (in )?(on $device )?(($names)(/tcp)?|from (any|$address) to any (port|app) ($names)( proto tcp)?|to any (port|app) ($names)( proto tcp)?)( comment .*)?\$"; then
    return 0
  fi
  say "error: ufw stays off: it would cut the SSH session from $client"
  say "allow it first (ufw allow $port/tcp), then run this again"
  return 1
}

install_files
filters_ipv6 || say "warning: IPV6=no in /etc/default/ufw: ufw does not filter IPv6, and this does not, either"
if is_active; then
  if ! load "" || { filters_ipv6 && ! load 6; }; then
    put_back
    ufw reload >&2
    die "loading the rules failed; the old ones are back"
  fi
  say "the rules of $interface are loaded"
else
  stays_open || exit 1
  ufw --force enable >&2
  iptables -C ufw-before-input -j "wgkit-in-$interface" || die "ufw is on, but has not loaded our rules"
fi
)sh";

constexpr std::string_view removal = R"sh(
compose "" ""
compose "" 6
install_files
for suffix in "" 6; do
  for hook in input forward; do
    [ "$hook" = input ] && chain=wgkit-in-$interface || chain=wgkit-fwd-$interface
    "ip${suffix}tables" -n -L "$chain" >/dev/null 2>&1 || continue
    while "ip${suffix}tables" -D "ufw$suffix-before-$hook" -j "$chain" 2>/dev/null; do :; done
    "ip${suffix}tables" -F "$chain" && "ip${suffix}tables" -X "$chain"
  done
  for chain in tun from to via; do
    chain=wgkit-$chain-$interface
    "ip${suffix}tables" -n -L "$chain" >/dev/null 2>&1 || continue
    "ip${suffix}tables" -F "$chain" && "ip${suffix}tables" -X "$chain"
  done
done
say "the rules of $interface are removed; ufw is as it was"
)sh";

std::string rules_function(const Ruleset& ruleset, Family family) {
    std::string text =
        fmt::format("rules{}() {{\n  cat <<'END'\n", family == Family::ipv4 ? "" : "6");
    std::string rules;
    auto chains = chains_of(ruleset, family);
    for (const auto& place : chain_places(ruleset.interface)) {
        const auto& lines = chains[place.chain];
        if (place.table != "filter" || lines.empty()) continue;
        text += fmt::format(":{} - [0:0]\n", place.chain);
        for (const auto& line : lines) rules += line + "\n";
    }
    text += rules;
    return text + "END\n}\n";
}

/// Which TCP ports any source may reach through the tunnel: what the SSH session in use depends on.
std::string tunnel_allows(const Ruleset& ruleset) {
    std::string tests;
    for (const auto& rule : ruleset.rules) {
        if (rule.hook != Hook::input || !rule.in_tunnel || !rule.from.empty() || !rule.to.empty())
            continue;
        for (const auto& traffic : rule.traffic)
            if (!traffic.protocol || *traffic.protocol == tcp)
                tests += fmt::format("  [ \"$1\" -lt {} ] || [ \"$1\" -gt {} ] || return 0\n",
                                     traffic.first_port, traffic.last_port);
    }
    return fmt::format("tunnel_allows() {{\n{}  return 1\n}}\n", tests);
}

std::string header(const std::string& interface, std::string_view what) {
    return fmt::format("#!/bin/sh\n# {} {}, for ufw; written by wgkit {}.\n"
                       "# Run it as root, as often as you like: it replaces what it wrote before.\n"
                       "set -eu\n\ninterface={}\n",
                       what, interface, version, interface);
}

} // namespace

std::string emit_ufw(const Ruleset& ruleset) {
    return header(ruleset.interface, "The rules of") + "\n" + rules_function(ruleset, Family::ipv4)
           + rules_function(ruleset, Family::ipv6) + tunnel_allows(ruleset) + std::string(common)
           + std::string(load) + std::string(install);
}

std::string remove_ufw(const std::string& interface) {
    return header(interface, "Removes the rules of") + std::string(common) + std::string(removal);
}

} // namespace wgkit::fw
