"""Make the example keys and certificates of the countries in `agencies.toml`; see README.md beside this file.

python certs-example/make.py --out DIR [--countries GB,KH] [--node-days 7] [--force]
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from exchange.errors import ExchangeError
from node.keys.party_files import Terms, write_party
from node.keys.party_plan import choose, read_plans

HERE = Path(__file__).resolve().parent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make EXAMPLE keys and certificates. Never use them in production.")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="directory that gets one directory a country")
    parser.add_argument("--countries", help="codes with commas between, e.g. GB,KH (default: all)")
    parser.add_argument("--node-days", type=int, default=7, help="life of the node's certificate, 1 to 7 days")
    parser.add_argument("--force", action="store_true", help="replace what exists; partners must pin it again")
    options = parser.parse_args(arguments)
    terms = Terms(now=datetime.now(UTC), node_days=options.node_days, example=True, overwrite=options.force)
    try:
        plans = read_plans(HERE / "agencies.toml")
        for plan in choose(plans, ",".join(plans) if options.countries is None else options.countries):
            directory = options.out / plan.code.lower()
            written = write_party(plan, directory, terms)
            print(f"{plan.code}  {plan.name}: {len(written)} files written in {directory}")
    except ExchangeError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
