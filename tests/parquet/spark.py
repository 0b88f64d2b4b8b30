"""Reads exported tables with Spark. Usage: spark.py FOLDER."""
import json
import sys
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

folder = Path(sys.argv[1])
manifest = json.loads((folder / "_ledgers/manifest.json").read_text())
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
table = spark.read.parquet(str(folder))
assert table.count() == manifest["records"]
kinds = {row["type"]: row["count"] for row in table.groupBy("type").count().collect()}
assert kinds["intent"] == kinds["completion"] > 0, kinds
accounts = {row["account"] for row in table.select("account").distinct().collect()}
assert {"alpha", "beta/two", "gamma"} <= accounts and None in accounts, accounts
print(f"{folder.name}: {manifest['records']} rows read by Spark {pyspark.__version__}: {kinds}")
