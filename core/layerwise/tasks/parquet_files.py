"""Reading Parquet files, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layerwise.errors import DataError, missing_extra
from layerwise.tasks.tables import Table, check_header

MOST_CELLS = 1_000_000_000
"""Rows times columns: a small file can hold a value a billion times."""
_REMEDY = "save the table as CSV"


def read_parquet(path: Path) -> Table:
    """The table in a file, its values as texts.

    Raises:
        DataError: It is no Parquet file, is damaged or too large, or has columns that hold lists or mappings.
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise missing_extra("pyarrow", "parquet", "Reading Parquet files") from None
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            names = tuple(name.strip() for name in schema.names)
            check_header(names, path.name, "name the columns")
            _check(schema, names, file.metadata.num_rows, path.name)
            return Table.of(names, _rows(file))
    # A damaged name is no UTF-8, a damaged type none that there is; and Python's dates end with the year 9999.
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise DataError(
            f"{path.name} is no Parquet file that can be read", received=str(error)[:200], remedy=_REMEDY
        ) from None
    except OSError as error:
        raise DataError("The table cannot be opened", received=f"{path.name}: {error}") from None


def _check(schema: Any, names: tuple[str, ...], num_rows: int, file: str) -> None:
    import pyarrow.types as kinds

    nested = [name for name, kind in zip(names, schema.types, strict=True) if kinds.is_nested(kind)]
    if nested:
        raise DataError(
            f"{file} has columns that hold lists or mappings", received=", ".join(nested), remedy="leave them out"
        )
    if num_rows * len(names) > MOST_CELLS:
        raise DataError(f"{file} is too large", expected=f"at most {MOST_CELLS:,} cells", received=f"{num_rows:,} rows")


def _rows(file: Any) -> Iterator[tuple[str, ...]]:
    for batch in file.iter_batches(batch_size=10_000):
        yield from zip(*([_text(value) for value in column.to_pylist()] for column in batch.columns), strict=True)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)
