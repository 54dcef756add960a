#include "mesh/inventory/field_reader.hpp"
#include "wgkit/monitor_policy.hpp"

namespace wgkit::monitor {

namespace {

using mesh::field::Choice;
using yaml::Kind;
using yaml::Value;

constexpr Choice<Expect> expectations[] = {{"automatic", Expect::automatic},
                                           {"up", Expect::up},
                                           {"roaming", Expect::roaming},
                                           {"ignore", Expect::ignore}};

/// `up` alone, or a mapping.
/// `yes`, `no` or, for a peer, an address that answers.
void read_probe(const Value& value, bool may_address, Wish& wish, Diagnostics& d) {
    const auto address =
        value.kind == Kind::scalar && may_address ? IpAddress::parse(value.scalar) : std::nullopt;
    wish.address = address;
    wish.probe = address ? true : mesh::field::boolean(value, d);
}

/// What a wish may hold depends on whose it is.
enum class Whose { anybody, peer, key };

void read_wish(const Value& value, Whose whose, Wish& wish, Diagnostics& d) {
    if (value.kind == Kind::scalar) {
        wish.expect = mesh::field::choice(value, expectations, d);
        return;
    }
    if (!mesh::field::expect(value, Kind::map, d)) return;
    for (const auto& [key, mark, part] : value.members) {
        if (key == "expect") {
            wish.expect = mesh::field::choice(part, expectations, d);
        } else if (key == "max_stale") {
            constexpr std::uint32_t year = 366 * 86400;
            if (const auto number = mesh::field::number(part, 1, year, d))
                wish.max_stale = seconds(*number);
        } else if (key == "probe") {
            read_probe(part, whose != Whose::anybody, wish, d);
        } else if (key == "name" && whose == Whose::key) {
            wish.name = mesh::field::label(part, d);
        } else {
            std::vector<std::string_view> known{"expect", "max_stale", "probe"};
            if (whose == Whose::key) known.emplace_back("name");
            mesh::field::unknown(key, mark, known, d);
        }
    }
}

void read_wishes(const Value& value, bool are_peers, std::vector<Wish>& wishes, Diagnostics& d) {
    if (!mesh::field::expect(value, Kind::map, d)) return;
    for (const auto& [key, mark, part] : value.members) {
        Wish wish{key, mark, {}, {}, {}};
        const Whose whose = !are_peers              ? Whose::anybody
                            : PublicKey::parse(key) ? Whose::key
                                                    : Whose::peer;
        read_wish(part, whose, wish, d);
        wishes.push_back(std::move(wish));
    }
}

} // namespace

Wishes parse_wishes(std::string_view text, Diagnostics& d) {
    Wishes wishes;
    const Value root = yaml::parse(text, d);
    if (d.errors() != 0 || !mesh::field::expect(root, Kind::map, d)) return wishes;
    bool has_version = false;
    for (const auto& [key, mark, part] : root.members) {
        if (key == "version") {
            has_version = true;
            (void)mesh::field::number(part, 1, 1, d);
        } else if (key == "nodes") {
            wishes.nodes = mesh::field::text(part, d).value_or(std::string());
        } else if (key == "default") {
            read_wish(part, Whose::anybody, wishes.otherwise, d);
        } else if (key == "peers") {
            read_wishes(part, true, wishes.peers, d);
        } else if (key == "tags") {
            read_wishes(part, false, wishes.tags, d);
        } else {
            mesh::field::unknown(key, mark, {"version", "nodes", "default", "peers", "tags"}, d);
        }
    }
    if (!has_version)
        d.error("missing-field", root.mark, "the file needs a version").hint = "version: 1";
    return wishes;
}

} // namespace wgkit::monitor
