"""Operations: versioned contracts in our own words, and all that is made from them."""

from .contract import Contract
from .field import Field
from .operation import Operation, load_operation, parse_operation

__all__ = ["Contract", "Field", "Operation", "load_operation", "parse_operation"]
