"""Makes the virtual environment of the interop tests, once per content of the requirements file; prints its Python.

Runs on any Python 3 with nothing installed: environment.py DIRECTORY REQUIREMENTS
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv


def main(directory: pathlib.Path, requirements: pathlib.Path) -> None:
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    home = directory / f"interop-{key}"
    directory.mkdir(parents=True, exist_ok=True)
    # The system lets go of the lock when this process ends, however it ends.
    with open(directory / "interop.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = home / "complete"
        if not complete.exists():
            shutil.rmtree(home, ignore_errors=True)
            venv.create(home, with_pip=True)
            install = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*install, "--requirement", requirements], check=True, stdout=sys.stderr, timeout=500)
            complete.touch()
    print(home / "bin" / "python")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
