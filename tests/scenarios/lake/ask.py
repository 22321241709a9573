"""Asks the queries that terraform ships of a folder of reports: translated by sqlglot, run by DuckDB.

ask.py MODULE REPORTS TODAY QUERY [--view VIEW]: MODULE has columns.json, REPORTS has year=…/month=…/day=…/*.json, QUERY is a file
of SQL. With --view the table is that file's. Prints one JSON object: the translation, and columns and rows, or the error.
"""

import json
import pathlib
import sys
import tempfile

import duckdb
import sqlglot
from sqlglot import exp


def small_letters(value):
    """What the table's SerDe does with `case.insensitive`."""
    if isinstance(value, dict):
        return {name.lower(): small_letters(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [small_letters(inner) for inner in value]
    return value


def read_as_the_serde_does(reports, copy):
    for path in reports.rglob("*.json"):
        text = path.read_text()
        try:
            text = "".join(json.dumps(small_letters(json.loads(line))) + "\n" for line in text.splitlines())
        except ValueError:
            pass  # Broken it stays, for whoever reads it.
        target = copy / path.relative_to(reports)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def view(columns, folder):
    """The table, with exactly the types that Athena is told."""
    types = ", ".join(
        f"'{column['name']}': '{exp.DataType.build(column['type'], dialect='athena').sql('duckdb')}'" for column in columns
    )
    return (
        f"CREATE VIEW reports AS SELECT * FROM read_json('{folder}/year=*/month=*/day=*/*.json', "
        "format = 'newline_delimited', hive_partitioning = true, hive_types_autocast = false, "
        f"columns = {{{types}}})"
    )


def translated(sql, today):
    """The query in DuckDB's dialect, on a day that is given."""

    def mended(node):
        # A date minus days is a date in Athena, a timestamp in DuckDB; so is what a sequence of dates holds.
        if isinstance(node, exp.Sub) and isinstance(node.this, exp.CurrentDate):
            return exp.cast(exp.Sub(this=day.copy(), expression=node.expression), "date")
        if isinstance(node, exp.CurrentDate):
            return day.copy()
        # An array of rows gives a column for each field in Athena, one column of structs in DuckDB.
        if isinstance(node, exp.Unnest) and len(node.alias_column_names) > 1:
            array = node.expressions[0].sql("duckdb")
            names = ", ".join(node.alias_column_names)
            return sqlglot.parse_one(
                f"SELECT * FROM x, LATERAL (SELECT UNNEST({array}, max_depth := 2)) AS {node.alias}({names})", read="duckdb"
            ).find(exp.Lateral)
        return node

    day = exp.cast(exp.Literal.string(today), "date")
    tree = sqlglot.parse_one(sql, read="athena").transform(mended)
    for series in list(tree.find_all(exp.GenerateSeries, exp.GenerateDateArray)):
        series.replace(exp.cast(series.copy(), "date[]"))
    return tree.sql("duckdb", pretty=True, comments=False)


def main():
    module, reports, today, query, *rest = sys.argv[1:]
    answer = {"translated": translated(pathlib.Path(query).read_text(), today)}
    with tempfile.TemporaryDirectory() as copy:
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        if rest[:1] == ["--view"]:
            connection.execute(pathlib.Path(rest[1]).read_text().replace("FOLDER", reports))
        else:
            read_as_the_serde_does(pathlib.Path(reports), pathlib.Path(copy))
            columns = (pathlib.Path(module) / "columns.json").read_text()
            connection.execute(view(json.loads(columns), copy))
        try:
            result = connection.execute(answer["translated"])
            answer["columns"] = [column[0] for column in result.description]
            answer["rows"] = [list(row) for row in result.fetchall()]
        except duckdb.Error as error:
            answer["error"] = str(error)
    json.dump(answer, sys.stdout)


main()
