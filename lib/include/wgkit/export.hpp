#pragma once

/// Marks what libwgkit exports; everything else is hidden (see lib/libwgkit.map).
#define WGKIT_API __attribute__((visibility("default")))
/// Takes a private member of an exported class out again.
#define WGKIT_LOCAL __attribute__((visibility("hidden")))
