// Uses a function, a type with a destructor and a constant of the installed library.
#include <wgkit/keys.hpp>
#include <wgkit/version.hpp>

#include <iostream>

int main() {
    const auto key = wgkit::public_key(wgkit::generate_private_key());
    std::cout << "wgkit " << wgkit::version << ": " << wgkit::to_string(key).size() << '\n';
}
