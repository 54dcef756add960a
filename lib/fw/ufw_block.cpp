#include "fw/ufw_block.hpp"

#include <fmt/format.h>

#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

/// A file parted: what is not ours, and what is.
struct Parted {
    std::string rest;
    std::string block;
};

std::string edge(const std::string& interface, std::string_view word) {
    return fmt::format("# wgkit fw {}: {}", interface, word);
}

Result<Parted> part(std::string_view file, const std::string& interface) {
    const std::string begin = edge(interface, "begin");
    const std::string end = edge(interface, "end");
    Parted parted;
    bool inside = false;
    while (!file.empty()) {
        const auto newline = std::min(file.find('\n'), file.size() - 1);
        const auto line = file.substr(0, newline + 1);
        const auto text = ascii::trim(line);
        file.remove_prefix(newline + 1);
        if (text == begin)
            inside = true;
        else if (inside && text == end)
            inside = false;
        else
            (inside ? parted.block : parted.rest) += line;
    }
    if (inside)
        return Error{Errc::invalid, fmt::format("the line '{}' has no '{}'", begin, end),
                     "repair it by hand"};
    return parted;
}

} // namespace

std::string ufw_block(std::string_view chains) {
    std::string block;
    for (const auto line : ascii::split(chains, '\n')) {
        if (line.empty()) continue;
        // The lines that lead from ufw's chains into ours.
        if (line.starts_with("-A ufw"))
            block += fmt::format("-I {} 1 {}\n", line.substr(3, line.find(' ', 3) - 3),
                                 line.substr(line.find(' ', 3) + 1));
        else
            block += fmt::format("{}\n", line);
    }
    return block;
}

Result<std::string> read_ufw_block(std::string_view file, const std::string& interface) {
    auto parted = part(file, interface);
    if (!parted) return parted.error();
    return std::move(parted->block);
}

Result<std::string> with_ufw_block(std::string_view file, const std::string& interface,
                                   std::string_view block) {
    auto parted = part(file, interface);
    if (!parted) return parted.error();
    std::string text = std::move(parted->rest);
    if (block.empty()) return text;
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text + edge(interface, "begin") + "\n" + std::string(block) + edge(interface, "end")
           + "\n";
}

} // namespace wgkit::fw
