"""The only reader of figures: numbers, money, durations, counts, days and fiscal years in Japanese text.

A text is normalised first (`normalize`); what is read carries where it stands. Pure: the day of asking is an argument.
"""

from knowledge.figures.calendar import fiscal_year_of, latest
from knowledge.figures.composing import total
from knowledge.figures.days import read_days, read_fiscal_years
from knowledge.figures.normalizing import normalize, normalize_with_offsets
from knowledge.figures.numbers import read_number
from knowledge.figures.ranges import Range, measure_of, read_ranges
from knowledge.figures.reading import read_figures
from knowledge.figures.types import Day, Dimension, Figure, Precision
from knowledge.figures.writing import format_date, format_fiscal_year, format_number, format_yen

__all__ = [
    "Day",
    "Dimension",
    "Figure",
    "Precision",
    "Range",
    "fiscal_year_of",
    "format_date",
    "format_fiscal_year",
    "format_number",
    "format_yen",
    "latest",
    "measure_of",
    "normalize",
    "normalize_with_offsets",
    "read_days",
    "read_figures",
    "read_fiscal_years",
    "read_number",
    "read_ranges",
    "total",
]
