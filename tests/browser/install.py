"""`make test` calls this: as root on a Debian a missing browser is installed; elsewhere the tests say what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Install Debian's chromium where there is no browser and it can be done; never fails."""
    if os.environ.get("GATEWAY_CHROMIUM") or any(map(shutil.which, NAMES)):
        return
    apt = shutil.which("apt-get", path=os.environ.get("PATH", "") + ":/usr/bin")
    if apt is None or os.geteuid() != 0:
        print("no browser for the tests of pages: install chromium, or name one in GATEWAY_CHROMIUM", file=sys.stderr)
        return
    print("installing Debian's chromium for the tests of pages", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "-qq", "update"], env=quiet, check=False)
    wanted = [apt, "-qq", "-y", "install", "--no-install-recommends", "chromium"]
    subprocess.run(wanted, env=quiet, check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
