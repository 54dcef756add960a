#include "net/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "common/json.hpp"
#include "wgkit/doctor.hpp"

namespace wgkit::tool::net {

namespace {

struct DoctorOptions {
    std::vector<std::string> interfaces;
    bool json = false;
};

const char* word(Weight weight) {
    switch (weight) {
    case Weight::problem:
        return "problem";
    case Weight::risk:
        return "risk";
    case Weight::note:
        return "note";
    }
    return "";
}

Json ailment_json(const Ailment& one) {
    return {{"code", one.code},
            {"weight", word(one.weight)},
            {"interface", one.interface.empty() ? Json() : Json(one.interface)},
            {"message", one.message},
            {"evidence", one.evidence},
            {"fix", one.fix}};
}

void print_text(const std::vector<Ailment>& found) {
    for (const auto& one : found)
        fmt::print("{}{}: {} [{}]\n  evidence: {}\n  fix:      {}\n",
                   one.interface.empty() ? "" : one.interface + ": ", word(one.weight), one.message,
                   one.code, one.evidence, one.fix);
}

int doctor(const DoctorOptions& options, const Report& report) {
    const auto found = examine(options.interfaces);
    if (!found) return report.error(found.error());
    if (options.json) {
        Json list = Json::array();
        for (const auto& one : *found) list.push_back(ailment_json(one));
        print(Json{{"schema", 1}, {"findings", std::move(list)}});
    } else {
        print_text(*found);
    }
    const bool ill = std::any_of(found->begin(), found->end(),
                                 [](const Ailment& one) { return one.weight != Weight::note; });
    return ill ? exit_differences : exit_ok;
}

} // namespace

Action setup_doctor(Arguments arguments) {
    auto options = std::make_shared<DoctorOptions>();
    arguments.add_option("IFACE", options->interfaces, "Interfaces; by default all of WireGuard")
        .type_name("");
    arguments.add_flag("--json", options->json, "Print the findings as JSON");
    return [options](const Report& report) { return doctor(*options, report); };
}

} // namespace wgkit::tool::net
