# What `cmake --install` and `cpack` put where. Everything below the prefix is found relative to
# itself, so that any prefix works and the tree can be moved.
get_property(wgkit_programs GLOBAL PROPERTY WGKIT_PROGRAMS)
get_property(wgkit_parts GLOBAL PROPERTY WGKIT_PARTS)
add_custom_target(wgkit_programs DEPENDS ${wgkit_programs})

install(TARGETS ${wgkit_programs} RUNTIME)
install(TARGETS wgkit ${wgkit_parts} EXPORT wgkitTargets LIBRARY
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
get_property(wgkit_modules GLOBAL PROPERTY WGKIT_MODULES) # of single programs
install(TARGETS wgkit_http wgkit_qr ${wgkit_modules} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY lib/include/wgkit DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_BINARY_DIR}/include/wgkit/version.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wgkit)

# find_package(wgkit) -> wgkit::wgkit, or its parts: wgkit::core, wgkit::mesh
include(CMakePackageConfigHelpers)
set(wgkit_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/wgkit)
install(EXPORT wgkitTargets NAMESPACE wgkit:: DESTINATION ${wgkit_cmake_folder})
configure_package_config_file(cmake/wgkitConfig.cmake.in ${PROJECT_BINARY_DIR}/wgkitConfig.cmake
  INSTALL_DESTINATION ${wgkit_cmake_folder})
# Before 1.0 every minor version may break the API, as SOVERSION says.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wgkitConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wgkitConfig.cmake ${PROJECT_BINARY_DIR}/wgkitConfigVersion.cmake
  DESTINATION ${wgkit_cmake_folder})

# pkg-config wgkit: all parts, of which the linker takes those that a program calls
set(wgkit_pc_parts "")
foreach(part ${wgkit_parts})
  get_target_property(library ${part} OUTPUT_NAME)
  string(APPEND wgkit_pc_parts " -l${library}")
endforeach()
file(RELATIVE_PATH wgkit_pc_to_prefix
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH wgkit_prefix_to_lib ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH wgkit_prefix_to_include ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/wgkit.pc.in ${PROJECT_BINARY_DIR}/wgkit.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wgkit.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# systemd looks for units in lib/systemd/system below /usr and /usr/local.
foreach(unit wgkit@.service wgkit-resolve@.service wgkit-tunnel@.service wgkit-monitor.service wgkit-agent.service
    wgkit-monitor.timer wgkit-status.service)
  configure_file(packaging/systemd/${unit}.in ${PROJECT_BINARY_DIR}/${unit} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
endforeach()
install(FILES packaging/systemd/wgkit-resolve@.timer DESTINATION lib/systemd/system)
install(FILES packaging/systemd/wgkit.sysusers DESTINATION lib/sysusers.d RENAME wgkit.conf)

# For people: man pages, completions, examples, documents
foreach(section 1 5 7 8)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(DIRECTORY completions/bash/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY completions/zsh/ DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY completions/fish/ DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN "out" EXCLUDE PATTERN "keys" EXCLUDE)
file(GLOB documents CONFIGURE_DEPENDS *.md)
install(FILES ${documents} LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

include(WgkitPackage)
