"""What a running process is made of: parts that come, change and go while others serve."""
