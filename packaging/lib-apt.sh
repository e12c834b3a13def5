# Sourced by packaging/quickstart, tests/run and tests/bench/run: the one place that installs packages.
#
#   apt_need PACKAGE...   installs those that are missing, with apt, as root or through sudo
#
# Nothing else changes on the machine: recommended packages stay away, and no service is started or
# enabled. mosquitto would start its own broker; where it was not installed before it is kept from
# that, and left disabled. An existing mosquitto is not touched.
# shellcheck shell=bash

# What it takes to build, to test, and to show it on a broker.
APT_BUILD=(gcc libc6-dev cmake ninja-build pkgconf libuv1-dev libconfig-dev libmodbus-dev
           libcjson-dev libsystemd-dev libpaho-mqtt-dev libcurl4-openssl-dev libmicrohttpd-dev libsqlite3-dev)
APT_TEST=(libcmocka-dev faketime mbpoll python3 python3-aiosmtpd openssl owserver)
APT_SHOW=(mosquitto mosquitto-clients python3 python3-pymodbus python3-serial-asyncio)
# What it takes to build packages, here and in roots of other releases, and to test them.
APT_DEB=(dpkg-dev debhelper)
APT_DEB_ROOT=(mmdebstrap debian-archive-keyring)
APT_DEB_TEST=(lintian blhc devscripts systemd-container piuparts autopkgtest qemu-user-static)
# The servers that unit tests for another processor speak to, in a root.
APT_DEB_SERVERS=(iproute2 python3 python3-aiosmtpd openssl mosquitto mosquitto-clients)

apt_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -- "$@"
    fi
}

apt_has() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Says to those who ask (invoke-rc.d, deb-systemd-invoke) that no service may start. True when the
# file is ours and must go again.
apt_forbid_services() {
    [ ! -e /usr/sbin/policy-rc.d ] || return 1
    printf '#!/bin/sh\nexit 101\n' | apt_root tee /usr/sbin/policy-rc.d >/dev/null
    apt_root chmod 755 /usr/sbin/policy-rc.d
}

# Takes back what installing mosquitto has enabled, also where systemd itself is not there.
apt_disable_mosquitto() {
    if command -v systemctl >/dev/null; then
        apt_root systemctl --quiet disable mosquitto.service 2>/dev/null || true
    fi
    apt_root rm -f /etc/systemd/system/multi-user.target.wants/mosquitto.service
    if [ -e /etc/init.d/mosquitto ] && command -v update-rc.d >/dev/null; then
        apt_root update-rc.d mosquitto disable >/dev/null 2>&1 || true
    fi
}

apt_install() {
    apt_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@"
}

apt_need() {
    local missing=() package
    for package in "$@"; do
        apt_has "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if ! command -v apt-get >/dev/null; then
        echo "these are missing, and this machine has no apt: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "these are missing; as root: apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "installing: ${missing[*]}"

    local log result=0
    log=$(mktemp)
    apt_install_quietly "${missing[@]}" >"$log" 2>&1 || result=$?
    if [ $result != 0 ]; then
        cat "$log" >&2
        echo "apt-get failed; nothing was built" >&2
    fi
    rm -f "$log"
    return $result
}

# In a shell of its own, so that its trap takes the policy back however it ends.
apt_install_quietly() (
    # shellcheck disable=SC2030,SC2031
    new_broker=false
    case " $* " in *" mosquitto "*) new_broker=true ;; esac
    if $new_broker && apt_forbid_services; then
        trap 'apt_root rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi
    apt_install update || exit
    apt_install --no-install-recommends install "$@" || exit
    if $new_broker; then
        apt_disable_mosquitto
    fi
)
