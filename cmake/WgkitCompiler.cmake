# Language level, warnings, hardening and sanitizers, the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Debug information costs a third of the build time: keep line tables, drop the rest.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
                    -Wold-style-cast -fstack-protector-strong)
# A whole build takes a third of the time, a change in one file longer. The environment decides for
# a new build folder only, so that an old one is not built again.
option(WGKIT_UNITY_BUILD "Compile several sources as one" "$ENV{WGKIT_UNITY_BUILD}")
if(WGKIT_UNITY_BUILD)
  # A file's names lie in the scope of the next one; other builds tell what really shadows.
  add_compile_options(-Wno-shadow)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(WGKIT_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT WGKIT_SANITIZE)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(WGKIT_SANITIZE)
  add_compile_options(-fsanitize=${WGKIT_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WGKIT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # g++ 12 sees uninitialized members in <regex> and <functional> once sanitizers are in.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
find_program(WGKIT_CCACHE ccache)
if(WGKIT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WGKIT_CCACHE})
endif()
