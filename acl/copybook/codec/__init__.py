"""From a copybook to functions: records to nested values, and back to the same bytes."""

from .codec import Codec, Decoded
from .options import CodecOptions, Policies

__all__ = ["Codec", "CodecOptions", "Decoded", "Policies"]
