#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wgkit::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    return bytes;
}

/// The bytes behind a name in an object of test vectors.
inline Bytes field(const nlohmann::json& row, const char* name) {
    return from_hex(row.at(name).get_ref<const std::string&>());
}

/// The first N bytes, which must be there.
template <std::size_t N>
std::span<const std::uint8_t, N> fixed(const Bytes& bytes) {
    return std::span<const std::uint8_t>(bytes).first<N>();
}

/// Where a file below tests/vectors is.
std::string vector_path(const std::string& name);

/// A file below tests/vectors.
inline nlohmann::json vectors(const std::string& path) {
    std::ifstream file(vector_path(path));
    return nlohmann::json::parse(file);
}

} // namespace wgkit::test
