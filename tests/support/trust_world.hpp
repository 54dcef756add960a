#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "trust/possession.hpp"
#include "trust/verify.hpp"

namespace wgkit::test {

/// An operator, a join key and a published state, to try attacks on.
struct TrustWorld {
    static constexpr trust::Seconds now = 1'800'000'000;
    trust::SigningKey op = trust::generate_signing_key();
    trust::SigningKey other = trust::generate_signing_key(); ///< nobody's
    trust::SigningKey recovery = trust::generate_signing_key();
    trust::SigningKey join = trust::generate_signing_key();
    PrivateKey enrolment = generate_private_key();
    trust::Root root;
    trust::Delegation delegation;
    std::map<std::string, std::string> objects;
    trust::Snapshot snapshot;

    TrustWorld() {
        root.network = "corp";
        root.keys = {trust::verify_key(op)};
        root.recovery = {trust::verify_key(recovery)};
        root.expires = now + 1'000'000;
        delegation = {"corp",
                      trust::verify_key(join),
                      public_key(enrolment),
                      {"edge"},
                      *Prefix::parse("10.0.9.0/24"),
                      {},
                      2,
                      now + 1000};
        snapshot.network = "corp";
        snapshot.issued = now;
        snapshot.expires = now + 10'000;
        snapshot.fleet = put(to_json(trust::FleetObject{R"({"version":1})", {}}));
        snapshot.delegations = {put(to_json(delegation))};
        snapshot.index = {put_index({node("gw", "10.0.0.1")})};
    }

    std::string put(std::string text) {
        const std::string hash = trust::hash_of(text);
        objects[hash] = std::move(text);
        return hash;
    }
    std::string put_index(const std::vector<trust::NodeRecord>& records) {
        trust::IndexObject index;
        for (const auto& record : records)
            index.records.emplace_back(record.name, put(to_json(record)));
        return put(to_json(index));
    }
    static trust::NodeRecord node(std::string name, std::string_view address) {
        trust::NodeRecord record;
        record.name = std::move(name);
        record.key = public_key(generate_private_key());
        record.ipv4 = IpAddress::parse(address);
        return record;
    }
    static std::string envelope(std::string_view type, std::string payload,
                                std::vector<const trust::SigningKey*> keys) {
        return to_text(trust::seal_document(std::string(type), std::move(payload), keys));
    }
    std::string signed_snapshot() const {
        return envelope(trust::type::snapshot, to_json(snapshot), {&op});
    }
    trust::FindObject find() const {
        return [this](const std::string& hash) {
            const auto found = objects.find(hash);
            return found != objects.end() ? &found->second : nullptr;
        };
    }
    trust::State state() const {
        auto verified = trust::accept_snapshot(root, {}, signed_snapshot(), now);
        return *trust::gather(*std::move(verified), find());
    }

    /// A node that wants in; `change` may make it worse before it is signed.
    template <class Change>
    trust::StoredAdmission admission(std::string name, std::string_view address, Change&& change) {
        const PrivateKey key = generate_private_key();
        trust::Admission it;
        it.network = "corp";
        it.delegation = delegation.key;
        it.record = node(name, address);
        it.record.key = public_key(key);
        it.record.agent = trust::verify_key(trust::generate_signing_key());
        it.record.seal = public_key(generate_private_key());
        it.record.fields = R"({"endpoint":"192.0.2.9:51820"})";
        it.nonce = std::string(32, 'a');
        it.mac = *trust::possession_mac(it, delegation, key);
        const trust::SigningKey* signer = &join;
        change(it, signer);
        return {std::move(name), envelope(trust::type::admission, to_json(it), {signer})};
    }
    trust::StoredAdmission admission(std::string name, std::string_view address) {
        return admission(std::move(name), address, [](auto&, auto&) {});
    }
};

} // namespace wgkit::test
