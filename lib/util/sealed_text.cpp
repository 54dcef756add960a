#include "util/sealed_text.hpp"

#include <sodium.h>

#include <array>

namespace wgkit {

namespace {

constexpr std::size_t sum_bytes = 16;

std::string checksum(std::string_view text) {
    std::array<unsigned char, sum_bytes> sum{};
    crypto_generichash(sum.data(), sum.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size(), nullptr, 0);
    return fmt::format("{:02x}", fmt::join(sum, ""));
}

} // namespace

std::string plain(std::string_view text) {
    std::string safe(text);
    for (char& c : safe)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return safe;
}

std::string seal(std::string text) {
    const std::string sum = checksum(text);
    return std::move(text) + "sum\t" + sum + "\n";
}

Result<std::string_view> unseal(std::string_view text, std::string_view heading) {
    const std::string_view kind = heading.substr(0, heading.rfind(' '));
    if (!text.starts_with(kind) || text.substr(kind.size(), 1) != " ")
        return Error{Errc::invalid, "not a state file of wgkit-monitor", {}};
    if (!text.starts_with(heading) || text.substr(heading.size(), 1) != "\n")
        return Error{Errc::invalid, "a state file of another version of wgkit-monitor", {}};
    const std::size_t sum_at = text.rfind("sum\t");
    if (sum_at == std::string_view::npos || text[sum_at - 1] != '\n'
        || text.substr(sum_at) != "sum\t" + checksum(text.substr(0, sum_at)) + "\n")
        return Error{Errc::invalid, "the state file's checksum is wrong", {}};
    return text.substr(heading.size() + 1, sum_at - heading.size() - 1);
}

} // namespace wgkit
