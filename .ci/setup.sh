# Set-up shared by ./run and ./test: packages, configuring, building. Read by sh, from the top folder.

# What the build needs, what running needs, what tests need besides: Debian's package names.
SETUP_BUILD="gcc libc6-dev cmake ninja-build pkg-config nasm libcapstone-dev libsdl2-dev libxxhash-dev libjson-c-dev zlib1g-dev libzstd-dev libnbd-dev libvncserver-dev libslirp-dev libadplug-dev libdw-dev liblua5.4-dev libpng-dev check"
SETUP_RUN="seabios ipxe-qemu python3"
SETUP_TEST="libvirt-daemon-system libvirt-clients virtinst qemu-system-x86 qemu-utils mtools dosfstools xvfb xdotool xclip x11-utils python3-xlib imagemagick bochs bochs-term bochsbios vgabios"

# Installs the packages that are not there; says which. Does nothing, and asks nothing, if all are.
setup_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "This is no Debian: please see to it that these are installed: $*" >&2
        return 0
    fi
    setup_missing=
    for setup_package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$setup_package" 2>/dev/null)" != installed ]; then
            setup_missing="$setup_missing $setup_package"
        fi
    done
    if [ -z "$setup_missing" ]; then return 0; fi
    echo "Installing packages:$setup_missing"
    setup_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "Not root, and no sudo: please install these first:$setup_missing" >&2
            exit 1
        fi
        setup_root=sudo
        if [ ! -t 0 ]; then setup_root="sudo -n"; fi
    fi
    $setup_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    # shellcheck disable=SC2086
    $setup_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $setup_missing
}

# Configures and builds a preset; further words go to the configuration. What a quiet build says is shown if it fails.
setup_build() {
    setup_preset=$1
    shift
    setup_log=$(mktemp)
    if cmake --preset "$setup_preset" "$@" >"$setup_log" 2>&1 &&
        cmake --build --preset "$setup_preset" >>"$setup_log" 2>&1; then
        rm -f "$setup_log"
    else
        cat "$setup_log" >&2
        rm -f "$setup_log"
        echo "The build failed." >&2
        exit 1
    fi
}
