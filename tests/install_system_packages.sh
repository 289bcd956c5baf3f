#!/bin/sh
# Installs what some tests use from outside Python, where apt is there and we may use it. Tests say when they go without.
set -u
wanted=""
command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium"
command -v chromedriver >/dev/null 2>&1 || wanted="$wanted chromium-driver"
command -v soffice >/dev/null 2>&1 || wanted="$wanted libreoffice-calc"
[ -z "$wanted" ] && exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    echo "Not installed, so the tests that need them are skipped:$wanted"
    exit 0
fi
echo "Installing for the tests:$wanted"
apt-get update -qq >/dev/null 2>&1
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1 ||
    echo "apt could not install them; the tests that need them are skipped:$wanted"
exit 0
