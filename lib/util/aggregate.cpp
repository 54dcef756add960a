#include "util/aggregate.hpp"

#include <algorithm>

namespace wgkit {

std::vector<Prefix> aggregate(std::vector<Prefix> prefixes) {
    for (auto& prefix : prefixes) prefix = prefix.masked();
    std::sort(prefixes.begin(), prefixes.end());
    std::vector<Prefix> result;
    for (const auto& prefix : prefixes) {
        if (!result.empty() && result.back().contains(prefix)) continue;
        result.push_back(prefix);
        // Two halves make a whole, which may be half of another.
        while (result.size() > 1) {
            Prefix& low = result[result.size() - 2];
            const Prefix& high = result.back();
            if (low.length != high.length || low.length == 0) break;
            Prefix whole = low;
            --whole.length;
            whole = whole.masked();
            if (whole.address != low.address || !whole.contains(high)) break;
            low = whole;
            result.pop_back();
        }
    }
    return result;
}

} // namespace wgkit
