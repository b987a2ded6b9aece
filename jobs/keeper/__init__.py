"""What the keeper of workers remembers in Redis. It runs in web, where workers sleep while nothing waits."""
