#pragma once

/// Marks what libwgkit exports; everything else is hidden (see lib/libwgkit.map).
#define WGKIT_API __attribute__((visibility("default")))
