#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/vectors.hpp"
#include "wgkit/monitor.hpp"

/// Recordings of real tunnels (tests/integration/monitor/record.py describes the format).
namespace wgkit::test {

struct Span {
    double from = 0, to = 0;
    std::vector<std::string> verdicts;
};

struct Trace {
    struct Row {
        double second = 0;
        bool gone = false;
        std::int64_t handshake = 0;
        std::uint64_t rx = 0, tx = 0;
    };
    std::string name, scene, engine, side;
    std::uint16_t keepalive = 0;
    bool has_endpoint = false;
    std::vector<Span> truth;
    double start = 0, end = 0;
    std::vector<Row> rows;

    /// The peer as it was then; nothing while the engine did not answer.
    std::optional<monitor::PeerSample> at(double second) const {
        const auto after = std::find_if(rows.begin(), rows.end(),
                                        [&](const Row& row) { return row.second > second; });
        if (after == rows.begin() || std::prev(after)->gone) return std::nullopt;
        const Row& row = *std::prev(after);
        monitor::PeerSample sample;
        // The right side has learned where the left one is, once it was heard.
        sample.endpoint = has_endpoint || row.rx > 0 ? "10.0.0.2:51820" : "";
        sample.keepalive = keepalive;
        sample.handshake = row.handshake;
        sample.rx = row.rx;
        sample.tx = row.tx;
        return sample;
    }
    const Span* truth_at(double second) const {
        for (const auto& span : truth)
            if (span.from <= second && second <= span.to) return &span;
        return nullptr;
    }
};

inline Trace read_trace(const std::filesystem::path& path) {
    Trace trace;
    trace.name = path.stem().string();
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::istringstream in(line.substr(0, line.find('#')));
        std::string word;
        in >> word;
        if (word == "scene")
            in >> trace.scene;
        else if (word == "engine")
            in >> trace.engine;
        else if (word == "side")
            in >> trace.side;
        else if (word == "keepalive")
            in >> trace.keepalive;
        else if (word == "endpoint")
            trace.has_endpoint = line.ends_with("yes");
        else if (word == "start")
            in >> trace.start;
        else if (word == "end")
            in >> trace.end;
        else if (word == "expect") {
            Span span;
            in >> span.from >> span.to;
            for (std::string verdict; in >> verdict;) span.verdicts.push_back(verdict);
            trace.truth.push_back(span);
        } else if (word != "event") {
            Trace::Row row;
            row.second = std::stod(word);
            row.gone = line.ends_with("gone");
            if (!row.gone) in >> row.handshake >> row.rx >> row.tx;
            trace.rows.push_back(row);
        }
    }
    if (trace.rows.empty() || trace.end == 0)
        throw std::runtime_error("not a trace: " + trace.name);
    return trace;
}

/// Those that are kept, or fresh ones in the folder that WGKIT_MONITOR_TRACES names.
inline std::vector<Trace> read_traces() {
    std::vector<Trace> traces;
    const char* fresh = std::getenv("WGKIT_MONITOR_TRACES");
    for (const auto& entry : std::filesystem::directory_iterator(
             fresh == nullptr ? vector_path("monitor") : std::string(fresh)))
        traces.push_back(read_trace(entry.path()));
    std::sort(traces.begin(), traces.end(),
              [](const Trace& a, const Trace& b) { return a.name < b.name; });
    return traces;
}

} // namespace wgkit::test
