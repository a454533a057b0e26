"""All benches, one after the other: `python -m bench`. What is missing on a machine is left out."""

import subprocess
import sys

BENCHES = ["fanout", "ingest", "first_picture", "browser", "delay", "agent", "growth", "soak"]
BENCHES += ["decisions", "tree", "uplinks"]


def main() -> int:
    failed = []
    for name in BENCHES:
        print(f"\n## {name}\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall ran")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
