"""The whole story on one screen: an endpoint of a legacy service moves, on real sockets."""
