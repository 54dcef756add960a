#include "trust/token.hpp"

#include "trust/json_fields.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::trust {

namespace {

constexpr std::string_view prefix = "wgkit-join-1.";

} // namespace

SecretString to_text(const JoinToken& token) {
    std::string json =
        json_text::dump(nlohmann::json{{"network", token.network},
                                       {"root", token.root_hash},
                                       {"stores", token.stores},
                                       {"ca", token.ca},
                                       {"user", token.user},
                                       {"password", std::string(token.password)},
                                       {"key", std::string(reveal_base64(token.key))},
                                       {"revision", token.minimum_revision}});
    SecretString text(prefix);
    std::string encoded = to_base64(json);
    text += encoded;
    wipe(json.data(), json.size());
    wipe(encoded.data(), encoded.size());
    return text;
}

Result<JoinToken> parse_token(std::string_view text) {
    text = ascii::trim(text);
    auto json = text.starts_with(prefix) ? from_base64(text.substr(prefix.size()))
                                         : Result<std::string>(Error{Errc::invalid, {}, {}});
    if (!json)
        return Error{Errc::invalid, "this is no join token",
                     "it is one line that begins with wgkit-join-1."};
    JsonFields in(*json, "join token");
    wipe(json->data(), json->size());
    JoinToken token{.network = in.text("network"),
                    .root_hash = in.text("root"),
                    .stores = in.texts("stores"),
                    .ca = in.text("ca"),
                    .user = in.text("user"),
                    .password = SecretString(in.text("password")),
                    .key = SigningKey(std::array<std::uint8_t, 32>{}),
                    .minimum_revision = in.number("revision")};
    auto key = parse_signing_key(in.text("key"));
    if (!key)
        in.fail("its key is malformed");
    else
        token.key = *std::move(key);
    return in.finish(std::move(token));
}

} // namespace wgkit::trust
