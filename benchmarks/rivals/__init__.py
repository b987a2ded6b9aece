"""Two services that score in process: what a queue is measured against."""
