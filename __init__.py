"""Put an AI replacement beside a legacy system and move its traffic over, endpoint by endpoint."""

__version__ = "0.1.0"
