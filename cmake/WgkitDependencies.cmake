# Libraries of Debian 12; scripts/bootstrap installs them. Nothing is downloaded here.
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(mnl REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(cap REQUIRED IMPORTED_TARGET libcap)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
pkg_check_modules(png REQUIRED IMPORTED_TARGET libpng)

# Packets on x86-64 processors with AVX-512 or AVX2. It brings neither pkg-config nor CMake files.
option(WGKIT_IPSEC_MB "Seal packets with libIPSec_MB where it is found" ON)
if(WGKIT_IPSEC_MB)
  find_path(WGKIT_IPSEC_MB_INCLUDE intel-ipsec-mb.h)
  find_library(WGKIT_IPSEC_MB_LIBRARY IPSec_MB)
  mark_as_advanced(WGKIT_IPSEC_MB_INCLUDE WGKIT_IPSEC_MB_LIBRARY)
  if(WGKIT_IPSEC_MB_INCLUDE AND WGKIT_IPSEC_MB_LIBRARY)
    add_library(IPSec_MB::IPSec_MB UNKNOWN IMPORTED)
    set_target_properties(IPSec_MB::IPSec_MB PROPERTIES
      IMPORTED_LOCATION ${WGKIT_IPSEC_MB_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${WGKIT_IPSEC_MB_INCLUDE})
  endif()
endif()
