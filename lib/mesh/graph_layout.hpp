#pragma once

#include <vector>

#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

/// Where a node is drawn. Units: pixels from the middle of the picture; y grows downwards.
struct Place {
    double x = 0;
    double y = 0;
    double angle = 0;    ///< that its label points to; radians
    bool inside = false; ///< others are around it: the label goes below
};

struct Layout {
    std::vector<Place> places; ///< by node
    double radius = 0;         ///< of the outermost circle
    double step = 0;           ///< between neighbours on it
};

/// Nodes on a circle; those with a single tunnel or a hub around the node they hang on. Pure.
Layout lay_out(const Graph& graph);

} // namespace wgkit::mesh
