# Sourced by packaging/build-deb and the tests of the package: build roots, and builds in them.
# Needs packaging/lib-apt.sh; everything runs from the top of the source.
# shellcheck shell=bash disable=SC2034

DEB_SUITES=(bookworm trixie)
DEB_ARCHES=(amd64 arm64 armhf)
# Where build roots are kept from one build to the next.
DEB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/thermogate

deb_fail() {
    echo "${0##*/}: $1" >&2
    exit 1
}

# deb_sources SUITE: the archive that this machine itself uses, with another suite, as sources.list has
# it.
deb_sources() {
    local suite=$1 codename sites
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    sites=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(SITE)' 'Created-By: Packages' |
        sort -u | awk -v code="$codename" -v suite="$suite" '
            $1 != "Debian" { next }
            $2 == code { print $3, suite }
            $2 == code "-security" { print $3, suite "-security" }')
    [[ $'\n'$sites$'\n' == *" $suite"$'\n'* ]] ||
        deb_fail "there is no Debian among the apt sources of this machine (or apt-get update has not run)"
    while read -r site name; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $name main"
    done <<<"$sites"
}

# deb_bootstrap SUITE FOLDER [OPTION...] <SOURCES: a root of that suite; it appears whole or not at all.
deb_bootstrap() {
    local suite=$1 folder=$2
    shift 2
    apt_root rm -rf "$folder.new"
    mkdir -p "$(dirname "$folder")"
    apt_root mmdebstrap --quiet --variant=minbase --format=directory "$@" "$suite" "$folder.new" - &&
        apt_root mv "$folder.new" "$folder"
}

# deb_root SUITE ARCH: the path of the root that builds for ARCH, made when there is none. A change of
# what the build needs makes another one.
deb_root() {
    local suite=$1 arch=$2 root
    root=$DEB_CACHE/build-$suite-$arch-$(sha256sum packaging/debian/control | cut -c1-8)
    if [ ! -d "$root" ]; then
        mkdir -p "$DEB_CACHE"
        echo "making the build root $root" >&2
        # A mirror in the middle of an update has the release itself, but not always its updates.
        # Libraries of two architectures must be of one version, so it is all of them or none.
        deb_sources "$suite" | deb_build_root "$suite" "$arch" "$root" ||
            deb_sources "$suite" | grep -v -e '-security ' | deb_build_root "$suite" "$arch" "$root" ||
            { tail -n 20 "$root.log" >&2; return 1; }
    fi
    echo "$root"
}

deb_build_root() {
    local suite=$1 arch=$2 root=$3 native options=()
    native=$(dpkg --print-architecture)
    [ "$arch" = "$native" ] || options=("--include=crossbuild-essential-$arch")
    deb_bootstrap "$suite" "$root" --variant=buildd --architectures="$native,$arch" "${options[@]}" \
        --customize-hook='mkdir -p "$1/build/needs/debian"' \
        --customize-hook='copy-in packaging/debian/control /build/needs/debian' \
        --customize-hook='chroot "$1" sh -c "cd /build/needs && apt-get -q -y --no-install-recommends \
            -P '"$(deb_profiles "$arch")"' --host-architecture '"$arch"' build-dep ./"' \
        --customize-hook='rm -r "$1/build/needs"' >"$root.log" 2>&1
}

# Tests of the package's build are the tests of the source: they run once, in tests/run.
deb_profiles() {
    if [ "$1" = "$(dpkg --print-architecture)" ]; then
        echo nocheck
    else
        echo cross,nocheck
    fi
}

# deb_in_root ROOT COMMAND...: without a network, and with an environment of its own; what it leaves
# running is killed.
deb_in_root() {
    local root=$1 propagation=private status
    shift
    # In a chroot `/` is no mount, so it cannot be made private: what is mounted here shows outside, too.
    mountpoint -q / || propagation=unchanged
    # shellcheck disable=SC2016
    apt_root unshare --mount --propagation $propagation --net --pid --fork --kill-child \
        --mount-proc="$root/proc" sh -c 'mount --bind /dev/pts "$0/dev/pts" && exec chroot "$0" "$@"' \
        "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 "$@"
    status=$?
    [ $propagation = private ] || apt_root umount "$root/dev/pts" "$root/proc" 2>/dev/null
    return $status
}

# deb_source FOLDER: the source as it is here, with what git does not ignore, and debian/ at its top.
deb_source() {
    apt_root mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null |
        tar -c --owner=0 --group=0 -T - | apt_root tar -x -C "$1"
    apt_root cp -r "$1/packaging/debian" "$1/debian"
}

# The version says for which release it was built: upgrading that upgrades the package.
deb_mark_release() {
    local number
    number=$(. "$1/etc/os-release" && echo "$VERSION_ID")
    apt_root sed -i "s/^\(thermogate (.*\))/\1~deb$number)/" "$2/debian/changelog" "$2/debian/NEWS"
}

# deb_with_root ROOT COMMAND...: while nobody else builds in that root.
deb_with_root() {
    local root=$1 lock status
    shift
    exec {lock}>"$root.lock"
    flock "$lock"
    apt_root rm -rf "$root/build"
    "$@"
    status=$?
    apt_root rm -rf "$root/build"
    exec {lock}>&-
    return $status
}

# deb_build SUITE ARCH FOLDER [NAME=VALUE...]: builds, and puts what comes of it into FOLDER. DEB_PLACE is
# the folder in the root in which it is built.
deb_build() {
    local suite=$1 arch=$2 root
    shift 2
    root=$(deb_root "$suite" "$arch") && deb_with_root "$root" deb_build_in "$root" "$arch" "$@"
}

deb_build_in() {
    local root=$1 arch=$2 to=$3 place=${DEB_PLACE:-/build/thermogate}
    shift 3
    deb_source "$root$place"
    deb_mark_release "$root" "$root$place"
    if ! deb_in_root "$root" DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" "$@" sh -c \
        "cd $place && dpkg-buildpackage --build=binary --host-arch=$arch \
            --build-profiles=$(deb_profiles "$arch") --no-sign" >"$to.log" 2>&1; then
        tail -n 20 "$to.log" | cut -c1-200 >&2
        echo "all of it is in $to.log" >&2
        return 1
    fi
    mkdir -p "$to"
    find "$root$(dirname "$place")" -maxdepth 1 -type f -exec cp -t "$to" {} +
}
