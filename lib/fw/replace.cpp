// Rules in the place of others: checked, loaded, read again; what fails puts the old ones back.
#include <fmt/format.h>
#include <unistd.h>

#include "fw/emitters.hpp"
#include "fw/firewalld_running.hpp"
#include "fw/iptables_text.hpp"
#include "fw/running.hpp"
#include "fw/ufw_block.hpp"
#include "wgkit/files.hpp"

namespace wgkit::fw {

namespace {

Result<void> load_table(const RuleText& rules) {
    const std::string reset =
        fmt::format("table inet {0}\ndelete table inet {0}\n", nft_table(rules.interface));
    const auto said = output_of({"nft", "-f", "-"}, reset + rules.parts[0],
                                "nft did not load the rules of " + rules.interface);
    return said ? Result<void>() : said.error();
}

/// Each table in one step.
Result<void> load_chains(const RuleText& rules) {
    for (const Family family : families) {
        const auto save = iptables_program(family, "-save");
        const auto present = output_of({save}, {}, save + " failed");
        if (!present) return present.error();
        const std::string text = transition(rules.parts[part_of(family)], *present, rules.interface,
                                            rules.backend, family);
        if (text.empty()) continue;
        const auto said =
            output_of({iptables_program(family, "-restore"), "-w", "--noflush"}, text,
                      fmt::format("{} did not load the rules of {}",
                                  iptables_program(family, "-restore"), rules.interface));
        if (!said) return said.error();
    }
    return {};
}

Result<void> write_ufw_files(const RuleText& rules) {
    const auto contents = boot_contents({rules});
    if (!contents) return contents.error();
    for (const auto& [path, content] : *contents)
        if (auto done = files::replace(path, content, files::mode_of(path)); !done) return done;
    return {};
}

Result<void> load(const RuleText& rules, Lasting lasting) {
    if (rules.backend == Backend::nftables) return load_table(rules);
    if (rules.backend == Backend::iptables) return load_chains(rules);
    if (rules.backend == Backend::firewalld) return load_firewalld(rules);
    if (lasting == Lasting::boot)
        if (auto written = write_ufw_files(rules); !written) return written;
    const auto active = ufw_is_active();
    if (!active) return active.error();
    const bool has_chains = !rules.parts[0].empty() || !rules.parts[1].empty();
    if (*active || !has_chains || lasting == Lasting::running) return load_chains(rules);
    const auto enabled = output_of({"ufw", "--force", "enable"}, {}, "ufw cannot be enabled");
    if (!enabled) return enabled.error();
    return load_chains(rules); // Docker's chain is not in ufw's files
}

/// What is to be the same afterwards.
RuleText seen_by(RuleText rules, Lasting lasting) {
    if (lasting == Lasting::running && rules.backend == Backend::ufw) rules.parts.resize(2);
    return rules;
}

} // namespace

Result<std::vector<BootContent>> boot_contents(const std::vector<RuleText>& rules) {
    std::vector<BootContent> contents;
    for (const Family family : families) {
        std::optional<std::string> before;
        std::string text;
        for (const auto& one : rules) {
            if (one.backend != Backend::ufw) continue;
            if (!before) {
                const auto file = files::read(ufw_file(family));
                if (!file) return file.error();
                before.emplace(file->begin(), file->end());
                text = *before;
            }
            auto next = with_ufw_block(text, one.interface, one.parts[2 + part_of(family)]);
            if (!next) {
                next.error().message = ufw_file(family) + ": " + next.error().message;
                return next.error();
            }
            text = *std::move(next);
        }
        if (before && text != *before) contents.push_back({ufw_file(family), text});
    }
    return contents;
}

Result<void> disable_ufw() {
    const auto off = output_of({"ufw", "disable"}, {}, "ufw cannot be disabled");
    return off ? Result<void>() : off.error();
}

Result<void> replace_rules(const RuleText& rules, Lasting lasting) {
    if (::geteuid() != 0)
        return Error{Errc::permission, "changing a firewall needs root", "run it with sudo"};
    const auto wanted = listed(rules);
    if (!wanted) return wanted.error();
    if (auto good = check_rules(rules); !good) return good;
    const auto old = read_rules(rules.interface, rules.backend);
    if (!old) return old.error();
    const bool was_active = rules.backend != Backend::ufw || ufw_is_active().value_or(true);

    Result<void> done = load(rules, lasting);
    if (done) {
        const auto present = read_rules(rules.interface, rules.backend);
        if (!present)
            done = present.error();
        else if (const auto found = compare(seen_by(*wanted, lasting), seen_by(*present, lasting));
                 !found.empty())
            done =
                Error{Errc::conflict,
                      fmt::format("after loading, the rules of {} are not what was loaded: {} {}",
                                  rules.interface, found.front().place, found.front().rule),
                      "another program changes them at the same time"};
    }
    if (done) return done;
    Error error = done.error();
    if (!was_active)
        if (const auto off = disable_ufw(); !off) error.message += "; " + off.error().message;
    if (const auto back = load(*old, lasting); !back)
        error.message += "; and the old rules did not load: " + back.error().message;
    else
        error.message += "; the old rules are back";
    return error;
}

} // namespace wgkit::fw
