# Finds what a build needs, and installs what Debian can give; to be sourced by the scripts at the root of the project.
# Deliberately not a bootstrap of Rust: which toolchain a machine has is its owner's choice.

heading() {
    printf '\n== %s\n' "$1"
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# A C compiler counts when it makes a program: Debian's gcc without libc6-dev is there and cannot.
can_compile_c() {
    command -v cc >/dev/null && printf '#include <stdio.h>\nint main(void) { return 0; }\n' | cc -x c -o /dev/null - 2>/dev/null
}

install_packages() {
    command -v apt-get >/dev/null || fail "missing, and no apt-get to install it: $*"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "missing: $*; install it as root: apt-get install $*"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

prepare() {
    # rustup puts cargo there, and a shell that was open before does not know yet.
    command -v cargo >/dev/null || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs and run this again"

    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
    found=$(cargo --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n%s\n' "$needed" "$found" | sort --version-sort | head -n 1)" = "$needed" ] ||
        fail "cargo is $found, but $needed or newer is needed: rustup update"

    can_compile_c || install_packages gcc libc6-dev
    can_compile_c || fail "cc is there but cannot make a C program; SQLite and the TLS library are built with it"
}

# What only some tests need; without it they say that they are skipped.
prepare_tests() {
    compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || (install_packages faketime) ||
        printf 'going on without faketime: the tests of a wrong clock are skipped\n'
    command -v ip >/dev/null || (install_packages iproute2) ||
        printf 'going on without iproute2: the tests of bad networks are skipped\n'
    (prepare_scim) || printf 'going on without the SCIM checker: the test that it drives is skipped\n'
    prepare_browser || printf 'going on without a browser: the tests of the console in one are skipped\n'
}

# The public checker of the SCIM service, in an environment of its own in the target directory; made anew when a version changes.
prepare_scim() {
    mkdir -p "${CARGO_TARGET_DIR:-target}/tools" || return 1
    local place
    place=$(cd "${CARGO_TARGET_DIR:-target}/tools" && pwd)/scim
    cmp --quiet tests/scim/requirements.txt "$place/requirements.txt" 2>/dev/null && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv || return 1
    printf 'installing the SCIM checker, once\n'
    rm -rf "$place"
    python3 -m venv "$place" &&
        "$place/bin/pip" install --quiet --disable-pip-version-check --requirement tests/scim/requirements.txt &&
        cp tests/scim/requirements.txt "$place/"
}

# Chromium and what drives it, and axe, which finds what keeps people out; that one is no part of the project and is fetched
# beside the build. Its version is the one that tests/src/browser.rs names.
readonly axe_version=4.14.1
prepare_browser() {
    if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
        (install_packages chromium chromium-driver) || return 1
    fi
    local tools
    mkdir -p "${CARGO_TARGET_DIR:-target}"
    tools=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/tools
    [ -f "$tools/axe-core-$axe_version/axe.min.js" ] && return
    command -v npm >/dev/null || (install_packages npm) || return 1
    mkdir -p "$tools/axe-core-$axe_version"
    (cd "$tools/axe-core-$axe_version" && npm pack --silent "axe-core@$axe_version" >/dev/null &&
        tar -xzf "axe-core-$axe_version.tgz" --strip-components=1 package/axe.min.js package/LICENSE)
}

# What checks the dependency policy; built once, in the target directory, where the machine has none of this version.
# Without optimisation, because that builds in half the time and the checks take seconds either way.
readonly deny_version=0.20.2
prepare_deny() {
    mkdir -p "${CARGO_TARGET_DIR:-target}"
    local tools
    tools=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/tools
    PATH="$tools/bin:$PATH"
    if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $deny_version" ]; then
        printf 'building cargo-deny %s, once\n' "$deny_version"
        cargo install cargo-deny --version "=$deny_version" --locked --debug --quiet --root "$tools" ||
            fail "cargo-deny $deny_version is missing and could not be built (is crates.io reached from here?);\
 with a network: cargo install cargo-deny --version $deny_version --locked"
    fi
}
