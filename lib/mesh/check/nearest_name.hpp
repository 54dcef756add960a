#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wgkit::mesh {

/// Hints for names that nothing has. Comparing a name with all others is slow, so that of very many
/// wrong names only the first get one.
class NearestName {
  public:
    explicit NearestName(std::vector<std::string_view> names) : names_(std::move(names)) {}

    /// "did you mean 'gw'?", or a general advice.
    std::string hint(std::string_view wrong);

  private:
    std::vector<std::string_view> names_;
    int left_ = 20;
};

} // namespace wgkit::mesh
