#include "fw/running.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "device/command.hpp"
#include "fw/emitters.hpp"
#include "fw/firewalld_running.hpp"
#include "fw/interface.hpp"
#include "fw/iptables_text.hpp"
#include "fw/ufw_block.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit::fw {

namespace {

/// The value of NAME="value" in a file of shell variables.
std::string shell_value(std::string_view file, std::string_view name) {
    std::string value;
    for (auto line : ascii::split(file, '\n')) {
        line = ascii::trim(line);
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != '=')
            continue;
        value = line.substr(name.size() + 1);
        std::erase(value, '"');
    }
    return value;
}

Result<std::string> text_of(const std::string& path) {
    auto text = files::read(path);
    if (!text) {
        Error error = text.error();
        if (error.code == Errc::not_found) error.hint = "reinstall ufw, or choose another firewall";
        return error;
    }
    return std::string(text->begin(), text->end());
}

Result<bool> has_chain(Family family, const char* chain) {
    CommandOptions quiet;
    quiet.silent = true;
    quiet.keeps_output = true;
    const auto ran = run_command({iptables_program(family, ""), "-w", "-n", "-L", chain}, quiet);
    if (!ran) return ran.error();
    return ran->status == 0;
}

Error needs_root(std::string_view what) {
    return {Errc::permission, fmt::format("{} needs root", what), "run it with sudo"};
}

/// `sh` in an empty network namespace; as root, or where that is not allowed as root of an own
/// user namespace.
Result<std::string> in_empty_namespace(const std::string& script, std::string_view input,
                                       const std::string& what) {
    std::vector<std::string> words{"unshare", "--net"};
    CommandOptions quiet;
    quiet.silent = true;
    const auto tried = run_command({"unshare", "--net", "true"}, quiet);
    if (!tried) return tried.error();
    if (tried->status != 0) {
        words.insert(words.end(), {"--user", "--map-root-user"});
        const auto again =
            run_command({"unshare", "--net", "--user", "--map-root-user", "true"}, quiet);
        if (!again || again->status != 0)
            return Error{Errc::permission,
                         "rules are tried in an empty network namespace, which cannot be made here",
                         "it needs CAP_SYS_ADMIN"};
    }
    words.insert(words.end(), {"sh", "-c", script});
    return output_of(words, input, what);
}

} // namespace

Result<std::string> output_of(const std::vector<std::string>& words, std::string_view input,
                              const std::string& what) {
    CommandOptions options;
    options.input = input;
    options.keeps_output = true;
    auto ran = run_command(words, options);
    if (!ran) return ran.error();
    if (ran->status != 0) return Error{Errc::invalid, what, {}};
    return std::move(ran->output);
}

std::string iptables_program(Family family, std::string_view suffix) {
    return fmt::format("{}{}", family == Family::ipv4 ? "iptables" : "ip6tables", suffix);
}

std::string ufw_file(Family family) {
    return family == Family::ipv4 ? "/etc/ufw/before.rules" : "/etc/ufw/before6.rules";
}

/// By its chains, as `ufw status` does, which takes a hundred times longer.
Result<bool> ufw_is_active() {
    if (!has_program("ufw")) return false;
    return has_chain(Family::ipv4, "ufw-user-input");
}

Result<Backend> backend_in_use() {
    if (::geteuid() == 0) {
        const auto active = ufw_is_active();
        if (!active) return active.error();
        if (*active) return Backend::ufw;
    }
    if (firewalld_is_running()) return Backend::firewalld;
    if (has_program("nft")) return Backend::nftables;
    if (has_program("iptables-restore")) return Backend::iptables;
    return Error{Errc::not_found, "there is no firewall here", "install nftables"};
}

Result<Surroundings> read_surroundings(Backend backend) {
    Surroundings around;
    if (backend == Backend::nftables || backend == Backend::firewalld) return around;
    for (const Family family : families) {
        const auto has = has_chain(family, "DOCKER-USER");
        if (!has) return has.error();
        (family == Family::ipv4 ? around.docker_ipv4 : around.docker_ipv6) = *has;
    }
    if (backend == Backend::ufw) {
        const auto defaults = text_of("/etc/default/ufw");
        if (!defaults) return defaults.error();
        around.ufw_ipv6 = ascii::iequals(shell_value(*defaults, "IPV6"), "yes");
    }
    return around;
}

Result<RuleText> read_rules(const std::string& interface, Backend backend) {
    if (auto fits = check_interface(interface); !fits) return fits.error();
    if (::geteuid() != 0) return needs_root("reading a firewall's rules");
    if (backend == Backend::firewalld) return read_firewalld(interface);
    RuleText rules{backend, interface, {}};
    if (backend == Backend::nftables) {
        const std::string table = nft_table(interface);
        const auto all = output_of({"nft", "list", "tables"}, {}, "nft does not list its tables");
        if (!all) return all.error();
        rules.parts.emplace_back();
        for (const auto line : ascii::split(*all, '\n'))
            if (ascii::trim(line) == "table inet " + table) {
                auto text = output_of({"nft", "-s", "-nn", "list", "table", "inet", table}, {},
                                      "nft does not list the table " + table);
                if (!text) return text.error();
                rules.parts[0] = *std::move(text);
            }
        return rules;
    }
    for (const Family family : families) {
        const auto program = iptables_program(family, "-save");
        const auto saved = output_of({program}, {}, program + " failed");
        if (!saved) return saved.error();
        rules.parts.push_back(own_chains(*saved, interface, backend, family));
    }
    if (backend != Backend::ufw) return rules;
    for (const Family family : families) {
        const auto file = text_of(ufw_file(family));
        if (!file) return file.error();
        auto block = read_ufw_block(*file, interface);
        if (!block) {
            block.error().message = ufw_file(family) + ": " + block.error().message;
            return block.error();
        }
        rules.parts.push_back(*std::move(block));
    }
    return rules;
}

Result<RuleText> listed(const RuleText& rules) {
    if (rules.backend == Backend::firewalld) return list_firewalld(rules);
    RuleText result = rules;
    const std::string what =
        fmt::format("{} refuses the rules of {}", to_string(rules.backend), rules.interface);
    if (rules.backend == Backend::nftables) {
        if (rules.empty()) return result;
        auto text = in_empty_namespace(
            fmt::format("nft -f - && nft -s -nn list table inet {}", nft_table(rules.interface)),
            rules.parts[0], what);
        if (!text) return text.error();
        result.parts[0] = *std::move(text);
        return result;
    }
    for (const Family family : families) {
        auto& part = result.parts[part_of(family)];
        if (part.empty()) continue;
        const auto saved = in_empty_namespace(
            fmt::format("{} --noflush && {}", iptables_program(family, "-restore"),
                        iptables_program(family, "-save")),
            self_contained(part, rules.interface, rules.backend, family), what);
        if (!saved) return saved.error();
        part = own_chains(*saved, rules.interface, rules.backend, family);
    }
    return result;
}

Result<void> check_rules(const RuleText& rules) {
    // `listed` has had firewalld check its files.
    if (rules.empty() || rules.backend == Backend::firewalld) return {};
    const std::string what =
        fmt::format("{} refuses the rules of {}", to_string(rules.backend), rules.interface);
    if (rules.backend == Backend::nftables) {
        const auto said = output_of({"nft", "-c", "-f", "-"}, rules.parts[0], what);
        return said ? Result<void>() : said.error();
    }
    for (const Family family : families) {
        const auto& part = rules.parts[part_of(family)];
        if (part.empty()) continue;
        const auto said =
            output_of({iptables_program(family, "-restore"), "-w", "--noflush", "--test"},
                      self_contained(part, rules.interface, rules.backend, family), what);
        if (!said) return said.error();
    }
    return {};
}

} // namespace wgkit::fw
