"""Fails as long as its file is missing: an error that is not caught ends the job as failed."""

import csv
import os
from pathlib import Path

orders = Path(os.environ["ORDERS"])
print(f"reading {orders.absolute()}")

if not orders.exists():
    raise FileNotFoundError(f"{orders} is not there yet: put a CSV file with a header line in its place")

with orders.open(newline="") as lines:
    count = sum(1 for _ in csv.DictReader(lines))

print(f"{count} orders")
{"orders": count}
