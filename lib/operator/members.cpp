// Nodes that came by join key are approved; nodes are revoked.
#include <fmt/format.h>

#include <algorithm>

#include "operator/draft.hpp"
#include "operator/users.hpp"
#include "trust/possession.hpp"
#include "util/ascii.hpp"
#include "wgkit/fleet_store.hpp"
#include "wgkit/key_files.hpp"

namespace wgkit::agent {

namespace {

/// The admission behind a record that is admitted now.
Result<trust::Admission> admission_of(const Draft& draft, const trust::NodeRecord& record) {
    for (const auto& stored : draft.follower().admissions()) {
        auto admission = trust::check_admission(*draft.follower().state(), stored, draft.now());
        if (admission && admission->record.key == record.key) return admission;
    }
    return Error{Errc::not_found, fmt::format("{} has no admission", record.name), {}};
}

Result<void> check_possession(const Home& home, const Draft& draft,
                              const trust::NodeRecord& record) {
    const auto admission = admission_of(draft, record);
    if (!admission) return admission.error();
    const auto& delegations = draft.follower().state()->delegations;
    const auto delegation =
        std::find_if(delegations.begin(), delegations.end(),
                     [&](const auto& one) { return one.key == admission->delegation; });
    const auto enrolment = read_private_key(home.enrolment_path(key_id(admission->delegation)));
    if (!enrolment)
        return Error{enrolment.error().code,
                     fmt::format("{}: the join key's other half is not here: {}", record.name,
                                 enrolment.error().message),
                     "approve it where the join key was made"};
    if (!trust::shows_possession(*admission, *delegation, *enrolment))
        return Error{Errc::conflict,
                     fmt::format("{} does not show that it has the key that it names", record.name),
                     "revoke its join key: somebody else has the token"};
    return {};
}

} // namespace

Result<Approval> approve(const Operator& op, const std::vector<std::string>& names) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    const store::Layout layout{home->network};
    const auto is_named = [&](const std::string& name) {
        return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
    };
    Approval out;
    const auto& admitted = draft->follower().admitted();
    for (const auto& name : names) {
        const bool waits = std::any_of(admitted.records.begin(), admitted.records.end(),
                                       [&](const auto& one) { return one.name == name; });
        const auto refused = std::find_if(admitted.refused.begin(), admitted.refused.end(),
                                          [&](const auto& one) { return one.name == name; });
        if (waits) continue;
        if (refused != admitted.refused.end()) return refused->error;
        return Error{Errc::not_found, fmt::format("no node '{}' waits for approval", name), {}};
    }
    for (auto record : admitted.records) {
        if (!is_named(record.name)) continue;
        if (auto shown = check_possession(*home, *draft, record); !shown) {
            out.refused.emplace_back(record.name, shown.error().message);
            continue;
        }
        record.joined = true;
        if (!home->access.user.empty()) {
            const auto password = make_password();
            if (auto made = make_node_user(client, layout, record.name, password); !made)
                return made.error();
            const auto sealed = trust::seal_secret(password, *record.seal);
            draft->puts.emplace_back(layout.secret(record.name), trust::to_base64(sealed));
        }
        out.approved.push_back(record.name);
        if (draft->rollout) draft->rollout->records[record.name] = record;
        draft->records[record.name] = std::move(record);
    }
    if (out.approved.empty()) return out;
    const auto revision =
        draft->publish("approve", fmt::format("{}", fmt::join(out.approved, ", ")), op.valid_for);
    if (!revision) return revision.error();
    return out;
}

Result<void> revoke_node(const Operator& op, const std::string& name) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    std::optional<trust::NodeRecord> record;
    for (const auto& one : draft->follower().nodes())
        if (one.name == name) record = one;
    if (!record) return Error{Errc::not_found, fmt::format("the fleet has no node '{}'", name), {}};
    draft->revoke(*record);
    const store::Layout layout{home->network};
    draft->removals = {layout.hint_of_node(name), layout.secret(name), layout.renewal(name)};
    // Another machine may come by this name.
    for (const auto& one : draft->delegations)
        draft->removals.push_back(layout.admission(key_id(one.key), name));
    const auto revision = draft->publish("revoke", name, op.valid_for);
    if (!revision) return revision.error();
    if (home->access.user.empty()) return {};
    return remove_user(client, layout.node_user(name));
}

} // namespace wgkit::agent
