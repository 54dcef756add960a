#include "fleet/package.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "util/child.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

namespace {

// Standard input is the package; standard output is what it installed. Errors are one line that
// tells why. A folder that was brought earlier would be found before the package's programs.
constexpr const char* install_deb = R"sh(set -e
s=; [ "$(id -u)" = 0 ] || s="sudo -n"
fail() { echo "$*" >&2; exit 1; }
f=$(mktemp /tmp/wgkit-XXXXXX.deb)
trap 'rm -f "$f"' EXIT
cat >"$f"
chmod 644 "$f"
command -v apt-get >/dev/null || fail "it has no apt-get: bring a folder instead of a package"
has=$(dpkg --print-architecture)
is=$(dpkg-deb -f "$f" Architecture) || exit 1
[ "$is" = "$has" ] || [ "$is" = all ] || fail "the package is for $is, but the machine is $has"
install() {
  o="-y --no-install-recommends --allow-downgrades --reinstall -o DPkg::Lock::Timeout=60"
  said=$($s env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get install $o "$f" 2>&1)
}
again() {
  case $said in *"dpkg was interrupted"*) ;; *) return 1 ;; esac
  $s env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >/dev/null 2>&1 || :
  install
}
why() { echo "$said" | grep -m 1 -A 1 -e '^ wgkit' -e '^dpkg.*: error' -e '^E: ' | tr -s '\n ' ' '; }
install || again || { w=$(why); fail "${w:-$(echo "$said" | tail -n 1)}"; }
d=/usr/local/lib/wgkit
case $(readlink /usr/local/bin/wgkit) in "$d"/*) $s rm -rf /usr/local/bin/wgkit "$d" ;; esac
/usr/bin/wgkit --version)sh";

// Standard input is a tar of a folder; it takes its place only once it is whole.
constexpr const char* install_folder = R"sh(set -e
s=; [ "$(id -u)" = 0 ] || s="sudo -n"
d=/usr/local/lib/wgkit
$s rm -rf "$d.new" "$d.old"
$s mkdir -p "$d.new" /usr/local/bin
$s tar xzf - -C "$d.new"
if [ -e "$d" ]; then $s mv "$d" "$d.old"; fi
$s mv "$d.new" "$d"
for p in "$d/bin/wgkit" "$d/wgkit"; do
  if [ -x "$p" ]; then $s ln -sfn "$p" /usr/local/bin/wgkit; fi
done
$s rm -rf "$d.old"
/usr/local/bin/wgkit --version)sh";

} // namespace

Result<Package> load_package(const std::string& from) {
    if (std::filesystem::is_directory(from)) {
        auto packed = run_child({"tar", "-czf", "-", "-C", from, "."}, {}, package_patience,
                                files::max_input_bytes);
        if (!packed) return packed.error();
        if (packed->status != 0)
            return Error{Errc::system, fmt::format("cannot pack {}: {}", from, packed->errors), {}};
        return Package{install_folder, std::move(packed->output)};
    }
    auto content = files::read(from);
    if (!content) return content.error();
    if (!std::string_view(*content).starts_with("!<arch>\n"))
        return Error{Errc::invalid, fmt::format("{} is no Debian package", from),
                     "give a .deb, or a folder as packaging/folder makes it"};
    return Package{install_deb, *std::move(content)};
}

} // namespace wgkit::tool::fleet
