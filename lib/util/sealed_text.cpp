#include "util/sealed_text.hpp"

#include <sodium.h>

#include <array>

namespace wgkit {

namespace {

constexpr std::string_view sum_kind = "sum\t";

} // namespace

class Checksum {
  public:
    Checksum() {
        (void)!sodium_init(); // chooses the code for this processor, which is twice as fast
        crypto_generichash_init(&state_, nullptr, 0, bytes);
    }
    void add(std::string_view text) {
        crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(text.data()),
                                  text.size());
    }
    std::string text() {
        std::array<unsigned char, bytes> sum{};
        crypto_generichash_final(&state_, sum.data(), sum.size());
        return fmt::format("{:02x}", fmt::join(sum, ""));
    }

  private:
    static constexpr std::size_t bytes = 16;
    crypto_generichash_state state_{};
};

FieldWriter::FieldWriter(const files::Sink& to, std::string_view heading)
    : to_(to), sum_(std::make_unique<Checksum>()) {
    line(heading);
}

FieldWriter::~FieldWriter() = default;

void FieldWriter::flush() {
    sum_->add(text_);
    to_(text_);
    text_.clear();
}

void FieldWriter::seal() {
    flush();
    to_(fmt::format("{}{}\n", sum_kind, sum_->text()));
}

std::string plain(std::string_view text) {
    std::string safe(text);
    for (char& c : safe)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return safe;
}

Result<std::string_view> unseal(std::string_view text, std::string_view heading) {
    const std::string_view kind = heading.substr(0, heading.rfind(' '));
    if (!text.starts_with(kind) || text.substr(kind.size(), 1) != " ")
        return Error{Errc::invalid, "not a state file of wgkit-monitor", {}};
    if (!text.starts_with(heading) || text.substr(heading.size(), 1) != "\n")
        return Error{Errc::invalid, "a state file of another version of wgkit-monitor", {}};
    const std::size_t sum_at = text.rfind(sum_kind);
    Checksum sum;
    sum.add(text.substr(0, sum_at));
    if (sum_at == std::string_view::npos || text[sum_at - 1] != '\n'
        || text.substr(sum_at) != fmt::format("{}{}\n", sum_kind, sum.text()))
        return Error{Errc::invalid, "the state file's checksum is wrong", {}};
    return text.substr(heading.size() + 1, sum_at - heading.size() - 1);
}

} // namespace wgkit
